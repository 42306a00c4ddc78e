import { chmodSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { createPace } from '../give-way.ts';
import { inodeId } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { statThrough } from '../tree/stat-through.ts';

const ALL_MAY_WRITE = 0o222;
const OWNER_MAY_WRITE = 0o200;

/**
 * Takes the right to write to files of a source away from all, or gives it back to their owner, where the destination has a
 * link to them; gives those whose permissions could not be changed, and why.
 */
export async function changeRights(
  source: string,
  destination: string,
  files: readonly { readonly path: string }[],
  protect: boolean,
  signal: AbortSignal | undefined,
): Promise<{ path: string; message: string }[]> {
  const pace = createPace(signal);
  const failed: { path: string; message: string }[] = [];
  for (const { path } of files) {
    try {
      const file = join(source, path);
      const stats = statThrough(file);
      if (stats?.isFile() && leadsTo(stats, join(destination, path))) setRights(file, stats.mode & 0o7777, protect);
    } catch (error) {
      failed.push({ path, message: (error as Error).message });
    }
    if (pace.due()) await pace.rest();
  }
  return failed;
}

function leadsTo(stats: Stats, link: string): boolean {
  const there = statThrough(link);
  return there !== undefined && inodeId(there) === inodeId(stats);
}

function setRights(file: string, mode: number, protect: boolean): void {
  const wanted = protect ? mode & ~ALL_MAY_WRITE : mode | OWNER_MAY_WRITE;
  if (wanted !== mode) chmodSync(fsPath(file), wanted);
}
