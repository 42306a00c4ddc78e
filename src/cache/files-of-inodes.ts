import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { createPace } from '../give-way.ts';
import { inodeId } from '../model/fingerprint.ts';
import type { FileRef } from '../model/refs.ts';
import { entriesIn } from './entries-in.ts';
import type { Layout } from './layout.ts';

/** Finds every file of the bucket that is one of some inodes: equal files of all versions are one. */
export async function filesOfInodes(
  layout: Layout,
  inodes: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<FileRef[]> {
  const found: FileRef[] = [];
  const pace = createPace(signal);
  const walk = async (names: readonly string[]): Promise<void> => {
    const folder = join(layout.bucket, ...names);
    for (const entry of entriesIn(folder)) {
      if (pace.due()) await pace.rest();
      if (entry.isDirectory()) await walk([...names, entry.name]);
      const [project, asset, version, ...folders] = names;
      if (!entry.isFile() || project === undefined || asset === undefined || version === undefined) continue;
      const stats = lstatSync(join(folder, entry.name), { throwIfNoEntry: false });
      if (stats === undefined || !inodes.has(inodeId(stats))) continue;
      found.push({ project, asset, version, path: [...folders, entry.name].join('/') });
    }
  };
  await walk([]);
  return found;
}
