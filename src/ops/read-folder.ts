import { join, sep } from 'node:path';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { Fingerprint } from '../model/fingerprint.ts';
import { pathFault } from '../model/names.ts';
import type { FileRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { joinPath, parentPath, type SymlinkEntry } from '../model/tree.ts';
import type { LocalFile } from '../model/upload-plan.ts';
import { IGNORE_FILE, readIgnoreFile } from '../tree/ignore-file.ts';
import { realPath } from '../tree/real-path.ts';
import type { Resolution } from '../tree/resolve-symlink.ts';
import { scanFolder } from '../tree/scan.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { Shown } from './find-changed.ts';
import { type Copy, openCopies } from './find-copies.ts';
import { createLinkTargets, type LinkTarget } from './link-targets.ts';
import { watchBuckets } from './watch-buckets.ts';

/**
 * What becomes of symlinks. `auto`: those into the cache become upload links, others the content they lead to.
 * `always`: one that cannot become a link is an error. `never`: all become the content they lead to.
 *
 * An unchanged file of a clone that has files instead of symlinks is treated like the symlink in its place would be.
 */
export type LinkRule = 'auto' | 'always' | 'never';

/** A file of a folder that stands for a file of a version. */
export interface Linked extends Shown {
  readonly path: string;
  readonly file: FileRef;
  /** It leads into the site cache. */
  readonly inSite?: boolean;
}

/** What publishing a folder would mean. */
export interface Reading {
  readonly files: readonly LocalFile[];
  readonly links: readonly Linked[];
  /** Files that were proven to be those of a version, and become links. */
  readonly copies: readonly (Linked & { readonly seen: Fingerprint })[];
  /** Files of the cache whose content is to be sent, and which are not there. */
  readonly missing: readonly FileRef[];
  /** How many entries the folder's ignore file leaves out, a folder as one; absent without such a file. */
  readonly ignored?: number;
  /** What a version cannot hold, as lines for people. */
  readonly faults: readonly string[];
}

/** Reads a folder, given by its real path, and says of every entry what it would be in a version. Changes nothing. */
export async function readFolder(ctx: Context, root: string, rule: LinkRule, options: CallOptions): Promise<Reading> {
  const files: LocalFile[] = [];
  const links: Linked[] = [];
  const copies: (Linked & { seen: Fingerprint })[] = [];
  const missing: FileRef[] = [];
  const faults: string[] = [];
  const targets = createLinkTargets(ctx, options);
  const buckets = watchBuckets(ctx);
  const pace = createPace(options.signal);
  const rules = readIgnoreFile(root);
  let ignored = 0;

  const isIgnored = (path: string, isFolder = false) => {
    if (!rules?.ignores(path, isFolder)) return false;
    if (path !== IGNORE_FILE) ignored++;
    return true;
  };

  const fault = (path: string, why: string) => void faults.push(`${showText(path)} ${why}`);

  const addFile = (path: string, size: number) => {
    const wrong = pathFault(path);
    if (wrong) fault(path, wrong);
    else files.push({ path, size });
  };

  const addLink = (path: string, target: LinkTarget, inSite: boolean, seen?: Fingerprint) => {
    const { file, size, md5sum, source } = target;
    const wrong = pathFault(path);
    if (wrong) return fault(path, wrong);
    const link = { path, file, size, md5sum, project: source, ...(inSite && { inSite }) };
    if (seen === undefined) links.push(link);
    else copies.push({ ...link, seen });
  };

  const addCopy = (path: string, size: number, { target, seen, inCache }: Copy) => {
    if (target.final) addLink(path, target, false, inCache ? undefined : seen);
    else if (rule === 'always') fault(path, 'is a file of a version that may still change');
    else addFile(path, size);
  };

  /** Adds the entries of a folder; `real` are the folders that are being walked, so that a link back is noticed. */
  const addTree = async (prefix: string, folder: string, real: readonly string[]) => {
    const skip = (path: string, isFolder: boolean) => isIgnored(joinPath(prefix, path), isFolder);
    const tree = await scanFolder(folder, rules === undefined ? options : { ...options, skip });
    const known = rule === 'never' ? undefined : await openCopies(ctx, folder, targets, options);
    for (const entry of tree) {
      if (pace.due()) await pace.rest();
      const path = joinPath(prefix, entry.path);
      if (entry.type === 'file') {
        const copy = await known?.find(entry.path);
        if (copy === undefined) addFile(path, entry.size);
        else addCopy(path, entry.size, copy);
      } else if (entry.type === 'special') fault(path, 'is neither a file nor a folder nor a link');
      else if (entry.type === 'symlink') await addSymlink(path, entry, folder, real);
    }
  };

  const addSymlink = async (path: string, entry: SymlinkEntry, folder: string, real: readonly string[]) => {
    const resolution = buckets.resolve(join(folder, parentPath(entry.path)), entry.target);
    if (rule !== 'never' && resolution.type === 'inside') {
      const found = await targets.find(resolution.parts);
      for (const target of found) {
        const at = joinPath(path, target.below);
        if (target.below === '' || !isIgnored(at)) addLink(at, target, buckets.isSite(resolution));
      }
      if (found.length > 0) return;
    }
    if (rule === 'always') {
      return fault(path, 'is a symlink that leads to no file of a finished version in the cache');
    }
    await addContent(path, join(folder, entry.path), resolution, real);
  };

  /** Adds what a symlink leads to: its content is the upload's. */
  const addContent = async (path: string, link: string, resolution: Resolution, real: readonly string[]) => {
    if (resolution.type === 'loop') return fault(path, 'is a symlink that leads to itself');
    const stats = statThrough(link);
    if (stats?.isFile()) return addFile(path, stats.size);
    const owned = resolution.type === 'inside' ? await targets.find(resolution.parts, { changing: true }) : [];
    // Only what versions say is there: the other clients' files stand between the version's own.
    for (const target of owned) {
      const at = joinPath(path, target.below);
      if (target.below === '' || !isIgnored(at)) addCached(at, join(link, target.below), target);
    }
    if (owned.length > 0) return;
    if (stats === undefined && resolution.type === 'inside') {
      fault(path, 'is a symlink to a file of the cache that is not there, and that no finished version has');
    } else if (stats === undefined) fault(path, 'is a symlink to nothing');
    else if (!stats.isDirectory()) fault(path, 'is a symlink to something that is neither a file nor a folder');
    else {
      const folder = realPath(link);
      if (real.some((at) => at === folder || at.startsWith(folder + sep))) {
        fault(path, 'is a symlink to a folder that it stands in');
      } else await addTree(path, folder, [...real, folder]);
    }
  };

  const addCached = (path: string, source: string, target: LinkTarget) => {
    const stats = statThrough(source);
    if (!stats?.isFile()) missing.push(target.file);
    addFile(path, stats?.isFile() ? stats.size : target.size);
  };

  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  await addTree('', root, [root]);
  options.onEvent?.({ type: 'end', task: 'scan' });
  return { files, links, copies, missing, faults, ...(rules !== undefined && { ignored }) };
}
