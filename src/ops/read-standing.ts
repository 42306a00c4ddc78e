import type { Stats } from 'node:fs';
import { statIfThere } from '../cache/blobs.ts';
import { pathsByInode, readCloneFiles } from '../cache/clone-files.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fingerprintOf, inodeId, sameFingerprint } from '../model/fingerprint.ts';
import { placeIn } from '../model/local-path.ts';
import { entryDigest, entryProject } from '../model/manifest.ts';
import { MAX_KEY_BYTES } from '../model/names.ts';
import { fileOf } from '../model/refs.ts';
import { type FileEntry, parentPath, type SymlinkEntry, type Tree } from '../model/tree.ts';
import type { LocalSource } from '../model/upload-plan.ts';
import { isSymlinkTo } from '../model/version-tree.ts';
import { isLeftover } from '../tree/put-file.ts';
import type { Standing } from '../tree/standing.ts';
import type { FolderVersion } from './cloned-version.ts';
import { digestFiles } from './digest-files.ts';
import type { FoundClone } from './find-clone.ts';
import type { Linked } from './found.ts';
import { createLinkTargets } from './link-targets.ts';
import { OwnLink } from './own-link.ts';
import { watchBuckets } from './watch-buckets.ts';

/** What stands at a path of a clone. */
export interface Stood extends Standing {
  /** The cached file that a symlink leads to, or that a hard link is. */
  readonly link?: Linked;
}

/**
 * Says of every entry of a clone's tree, given in parts, which content it has, where any of some versions has a file at its
 * path. Files are read whose size is that of such a file, unless they are known. Nobody looks here whether cached files hold
 * what they must.
 */
export async function readStanding(
  ctx: Context,
  { root, receipt }: FoundClone,
  tree: AsyncIterable<Tree> | Iterable<Tree>,
  versions: readonly FolderVersion[],
  options: CallOptions,
): Promise<Stood[]> {
  const { layout } = ctx.cache;
  const targets = createLinkTargets(
    ctx,
    options,
    versions.map(({ whole, ...version }) => ({ ...version, manifest: whole })),
  );
  const buckets = watchBuckets(ctx);
  const known = await Promise.all(versions.map(({ ref }) => readCloneFiles(layout, receipt.destination, ref)));
  const byInode = known.map(pathsByInode);
  const unread = new Map<number, LocalSource>();
  const standing: Stood[] = [];

  const readSymlink = async ({ path, target }: SymlinkEntry): Promise<Stood> => {
    const before = { type: 'symlink', target } as const;
    // It may lead to a link into the cache, and is none itself.
    if (versions.some(({ own }) => isSymlinkTo(own.get(path), target))) {
      return { path, type: 'symlink', before, isOwn: true };
    }
    const to = buckets.resolve(placeIn(root, parentPath(path)), target);
    const [found] = to.type === 'inside' ? await targets.find(to.parts, { changing: true }) : [];
    if (found?.below !== '') return { path, type: 'symlink', before };
    const { size, md5sum, file, source: project } = found;
    const own: Linked = { path, file, size, md5sum, project };
    const link = buckets.isSite(to) ? { ...own, inSite: true } : own;
    // Written out: where objects are spread, a million take 300 MiB more.
    return { path, type: 'symlink', before, content: link, link };
  };

  const readFile = ({ path }: FileEntry): Stood => {
    const source = placeIn(root, path);
    const isVersions = versions.some(({ manifest, own }) => path in manifest || own.has(path));
    // A hard link may have another name by now.
    const mayBeOurs = path.length <= MAX_KEY_BYTES && (receipt.mode === 'hardlink' || isLeftover(path));
    const isOurs = isVersions || mayBeOurs;
    const stats = isOurs ? statIfThere(source) : undefined;
    if (stats === undefined) return { path, type: 'file' };
    const seen = fingerprintOf(stats);
    const one = { path, type: 'file', before: { type: 'file', seen } } as const;
    const link = stats.nlink > 1 ? findHardLink(path, stats) : undefined;
    if (link !== undefined) {
      const before = { ...one.before, shared: true };
      return { ...one, before, content: { size: link.size, md5sum: link.md5sum }, link };
    }
    for (const [at, { manifest }] of versions.entries()) {
      const entry = manifest[path];
      const print = known[at]?.get(path);
      if (entry !== undefined && print !== undefined && sameFingerprint(print, seen)) {
        return { ...one, content: { size: entry.size, md5sum: entry.md5sum } };
      }
    }
    if (versions.some(({ manifest }) => manifest[path]?.size === stats.size)) {
      unread.set(standing.length, { path, source, size: stats.size });
    }
    return one;
  };

  const findHardLink = (path: string, stats: Stats): Linked | undefined => {
    const inode = inodeId(stats);
    for (const [at, { ref, manifest }] of versions.entries()) {
      for (const from of new Set([path, byInode[at]?.get(inode) ?? path])) {
        const entry = manifest[from];
        if (entry === undefined) continue;
        const file = fileOf(ref, from);
        const project = entryProject(ref, entry);
        // Somebody may have taken away the version's name of it.
        const places = [layout.file(file), layout.blob(project, entryDigest(entry))];
        if (!places.some((place) => isInode(statIfThere(place), inode))) continue;
        return { path, file, size: entry.size, md5sum: entry.md5sum, project };
      }
    }
    return undefined;
  };

  const pace = createPace(options.signal);
  for await (const part of tree) {
    for (const entry of part) {
      if (pace.due()) await pace.rest();
      const { path, type } = entry;
      if (type === 'symlink') {
        const home = targets.home(path, entry.target);
        standing.push(home === undefined ? await readSymlink(entry) : new OwnLink(home, path));
      } else if (type === 'file') standing.push(readFile(entry));
      else standing.push(type === 'directory' ? { path, type, before: { type } } : { path, type });
    }
  }
  const digested = await digestFiles(ctx, [...unread.values()], options);
  for (const [index, at] of [...unread.keys()].entries()) {
    const [one, file] = [standing[at], digested[index]];
    if (one === undefined || file === undefined) throw new Error('a file was not digested');
    standing[at] = { ...one, content: { size: file.size, md5sum: file.md5sum } };
  }
  return standing;
}

/** Gives the links among what stands in a clone that are meant, as often as one likes. */
export function linksOf(standing: readonly Stood[], isMeant: (one: Stood) => boolean = () => true): Iterable<Linked> {
  return {
    *[Symbol.iterator]() {
      for (const one of standing) {
        const link = isMeant(one) ? one.link : undefined;
        if (link !== undefined) yield link;
      }
    },
  };
}

function isInode(stats: Stats | undefined, inode: string): boolean {
  return stats !== undefined && inodeId(stats) === inode;
}
