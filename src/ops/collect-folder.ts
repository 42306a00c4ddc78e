import { join } from 'node:path';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { showText } from '../model/text.ts';
import { joinPath } from '../model/tree.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { statThrough } from '../tree/stat-through.ts';

/** What a copy of a folder consists of, in order: folders, and files with the real paths that they are made of. */
export type Collected = { readonly path: string; readonly source?: string };

/**
 * Reads a folder, given by its real path, as one without symlinks: what they lead to stands in their places. Throws
 * `invalid-tree` if one leads nowhere, to a special file, or in a circle.
 */
export async function collectFolder(real: string, call: CallOptions): Promise<Collected[]> {
  return collect(real, '', [real], call);
}

async function collect(
  real: string,
  below: string,
  within: readonly string[],
  call: CallOptions,
): Promise<Collected[]> {
  const collected: Collected[] = [];
  for (const entry of await scanFolder(real, { ...call, sizes: false })) {
    const path = joinPath(below, entry.path);
    const place = join(real, entry.path);
    if (entry.type === 'directory') {
      collected.push({ path });
      continue;
    }
    const stats = statThrough(place);
    if (stats?.isFile()) collected.push({ path, source: entry.type === 'file' ? place : realPath(place) });
    else if (stats?.isDirectory()) {
      const next = realPath(place);
      if (within.some((folder) => liesIn(folder, next))) throw noCopy(place, 'leads in a circle');
      collected.push({ path }, ...(await collect(next, path, [...within, next], call)));
    } else throw noCopy(place, entry.type === 'symlink' && stats === undefined ? 'leads nowhere' : 'is no file');
  }
  return collected;
}

function noCopy(place: string, why: string): GypsumError {
  return new GypsumError('invalid-tree', `${showText(place)} ${why}: no copy of its folder can be made.`, {
    hint: 'Mend or remove it, then run it again.',
    details: { path: place },
  });
}
