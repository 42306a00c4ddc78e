import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createPace } from '../give-way.ts';
import { inodeId } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { statThrough } from '../tree/stat-through.ts';

const ALL = 0o7777;
const ALL_MAY_WRITE = 0o222;
const OWNER_MAY_WRITE = 0o200;

/**
 * Takes the right to write to files of a source away from all, or gives it back to their owner, where the destination has a
 * link to them; gives those whose permissions could not be changed, and why. What lies outside of the source is left alone,
 * such as the cache of a clone.
 */
export async function changeRights(
  source: string,
  destination: string,
  files: readonly { readonly path: string }[],
  protect: boolean,
  signal: AbortSignal | undefined,
): Promise<{ path: string; message: string }[]> {
  const pace = createPace(signal);
  const root = realPath(source);
  const failed: { path: string; message: string }[] = [];
  for (const { path } of files) {
    try {
      if (leadsTo(join(source, path), join(destination, path))) setRights(realPath(join(source, path)), root, protect);
    } catch (error) {
      failed.push({ path, message: (error as Error).message });
    }
    if (pace.due()) await pace.rest();
  }
  return failed;
}

function leadsTo(file: string, link: string): boolean {
  const [stats, there] = [statThrough(file), statThrough(link)];
  return stats?.isFile() === true && there !== undefined && inodeId(there) === inodeId(stats);
}

function setRights(file: string, root: string, protect: boolean): void {
  const mode = statSync(fsPath(file)).mode & ALL;
  const wanted = protect ? mode & ~ALL_MAY_WRITE : mode | OWNER_MAY_WRITE;
  if (wanted === mode) return;
  if (liesIn(file, root)) chmodSync(fsPath(file), wanted);
  else if (protect) throw new Error('It leads out of the source, and what is there was left alone.');
}
