import { lstatSync } from 'node:fs';
import { statIfThere } from '../cache/blobs.ts';
import { filesOfInodes } from '../cache/files-of-inodes.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { inodeId } from '../model/fingerprint.ts';
import { placeIn } from '../model/local-path.ts';
import type { FoundClone } from './find-clone.ts';
import type { Linked } from './found.ts';
import { createLinkTargets } from './link-targets.ts';
import type { Stood } from './read-standing.ts';

/**
 * Finds hard links of a clone to cached files of versions that it has left, whatever their names are by now. The whole cache is
 * searched for them, if there are files that have other names somewhere.
 */
export async function findOldLinks(
  ctx: Context,
  { root, receipt }: FoundClone,
  standing: readonly Stood[],
  options: CallOptions,
): Promise<ReadonlyMap<string, Linked>> {
  const links = new Map<string, Linked>();
  if (receipt.mode !== 'hardlink') return links;
  const inodes = new Map<string, string>();
  for (const { path, before, link } of standing) {
    if (before?.type !== 'file' || link !== undefined) continue;
    const stats = statIfThere(placeIn(root, path));
    if (stats?.isFile() && stats.nlink > 1) inodes.set(path, inodeId(stats));
  }
  if (inodes.size === 0) return links;
  const { layout } = ctx.cache;
  const targets = createLinkTargets(ctx, options);
  const cached = new Map<string, Omit<Linked, 'path'>>();
  for (const file of await filesOfInodes(layout, new Set(inodes.values()), options.signal)) {
    const { project, asset, version, path } = file;
    const [target] = await targets.find([project, asset, version, ...path.split('/')], { changing: true });
    if (target?.below !== '') continue;
    const { size, md5sum, source } = target;
    cached.set(inodeId(lstatSync(layout.file(file))), { file, size, md5sum, project: source });
  }
  for (const [path, inode] of inodes) {
    const found = cached.get(inode);
    if (found !== undefined) links.set(path, { path, ...found });
  }
  return links;
}
