import { lstatSync, type Stats, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Context } from '../context.ts';
import { GypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { pathFault } from '../model/names.ts';
import { type FileRef, formatRef } from '../model/refs.ts';

import { showText } from '../model/text.ts';
import { comparePaths, joinPath, parentPath, type SymlinkEntry } from '../model/tree.ts';
import type { LocalFile, UploadLink } from '../model/upload-plan.ts';
import { realPath } from '../tree/real-path.ts';
import { createSymlinkResolver, type Resolution } from '../tree/resolve-symlink.ts';
import { scanFolder } from '../tree/scan.ts';
import { findEdited, type Linked } from './find-edited.ts';
import { createLinkTargets, type LinkTarget } from './link-targets.ts';
import { run } from './run.ts';

/**
 * What becomes of symlinks. `auto`: those into the cache become upload links, others the content they lead to.
 * `always`: one that cannot become a link is an error. `never`: all become the content they lead to.
 */
export type LinkRule = 'auto' | 'always' | 'never';

export interface PrepareOptions extends CallOptions {
  /** @default 'auto' */
  links?: LinkRule;
}

/** What publishing a folder would do. */
export interface PreparedUpload {
  /** The real path of the folder. */
  readonly directory: string;
  /** In the order of `comparePaths`, like `links`. */
  readonly files: readonly LocalFile[];
  readonly links: readonly UploadLink[];
}

/**
 * Reads a folder and says what publishing it would send and what it would link. Dot-files are data; empty folders are
 * not, since registries store files only. Throws `invalid-tree` naming every entry that a version cannot hold.
 */
export async function prepareDirectoryUpload(
  ctx: Context,
  directory: string,
  options: PrepareOptions = {},
): Promise<PreparedUpload> {
  const { links: rule = 'auto', ...callOptions } = options;
  if (!['auto', 'always', 'never'].includes(rule)) {
    throw new GypsumError('invalid-argument', `"${rule}" is not a rule for links.`, {
      hint: 'Give "auto", "always" or "never".',
    });
  }
  const root = checkFolder(directory);
  return run(ctx, callOptions, () => prepare(ctx, root, rule, callOptions));
}

async function prepare(ctx: Context, root: string, rule: LinkRule, options: CallOptions): Promise<PreparedUpload> {
  const files: LocalFile[] = [];
  const links: UploadLink[] = [];
  const linked: Linked[] = [];
  const faults: string[] = [];
  const targets = createLinkTargets(ctx, options);
  const resolver = createSymlinkResolver(realPath(ctx.cache.layout.bucket));
  const pace = createPace(options.signal);

  const fault = (path: string, why: string) => void faults.push(`${showText(path)} ${why}`);

  const addFile = (path: string, size: number) => {
    const wrong = pathFault(path);
    if (wrong) fault(path, wrong);
    else files.push({ path, size });
  };

  const addLink = (path: string, target: LinkTarget) => {
    const wrong = pathFault(path);
    if (wrong) return fault(path, wrong);
    linked.push({ path, target });
    links.push({ path, link: target.file, size: target.size, md5sum: target.md5sum });
  };

  /** Adds the entries of a folder; `real` are the folders that are being walked, so that a link back is noticed. */
  const addTree = async (prefix: string, folder: string, real: readonly string[]) => {
    const tree = await scanFolder(folder, options);
    for (const entry of tree) {
      if (pace.due()) await pace.rest();
      const path = joinPath(prefix, entry.path);
      if (entry.type === 'file') addFile(path, entry.size);
      else if (entry.type === 'special') fault(path, 'is neither a file nor a folder nor a link');
      else if (entry.type === 'symlink') await addSymlink(path, entry, folder, real);
    }
  };

  const addSymlink = async (path: string, entry: SymlinkEntry, folder: string, real: readonly string[]) => {
    const resolution = resolver.resolve(join(folder, parentPath(entry.path)), entry.target);
    if (rule !== 'never' && resolution.type === 'inside') {
      const found = await targets.find(resolution.parts);
      for (const target of found) addLink(joinPath(path, target.below), target);
      if (found.length > 0) return;
    }
    if (rule === 'always') {
      return fault(path, 'is a symlink that leads to no file of a finished version in the cache');
    }
    await addContent(path, join(folder, entry.path), resolution, real);
  };

  /** Adds what a symlink leads to: its content is the upload's. */
  const addContent = async (path: string, link: string, resolution: Resolution, real: readonly string[]) => {
    const stats = resolution.type === 'loop' ? undefined : statThrough(link);
    if (resolution.type === 'loop') fault(path, 'is a symlink that leads to itself');
    else if (stats === undefined && resolution.type === 'inside') {
      fault(path, 'is a symlink to a file of the cache that is not there, and that no finished version has');
    } else if (stats === undefined) fault(path, 'is a symlink to nothing');
    else if (stats.isFile()) addFile(path, stats.size);
    else if (!stats.isDirectory()) fault(path, 'is a symlink to something that is neither a file nor a folder');
    else {
      const folder = realPath(link);
      const owned = resolution.type === 'inside' ? await targets.find(resolution.parts, { changing: true }) : [];
      if (owned.length > 0) {
        // The other clients' files stand between the version's own there.
        for (const { below } of owned) {
          const size = statThrough(join(link, below))?.size;
          if (size === undefined) fault(joinPath(path, below), 'is not in the cache');
          else addFile(joinPath(path, below), size);
        }
      } else if (real.some((at) => at === folder || at.startsWith(folder + sep))) {
        fault(path, 'is a symlink to a folder that it stands in');
      } else await addTree(path, folder, [...real, folder]);
    }
  };

  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  await addTree('', root, [root]);
  options.onEvent?.({ type: 'end', task: 'scan' });
  for (const { path, target } of await findEdited(ctx, linked, options)) {
    fault(path, edited(join(root, path), ctx.cache.layout.file(target.file), target.file));
  }
  if (faults.length > 0) throw refusal(root, faults);
  const inOrder = (a: { path: string }, b: { path: string }) => comparePaths(a.path, b.path);
  return { directory: root, files: files.sort(inOrder), links: links.sort(inOrder) };
}

function checkFolder(directory: string): string {
  const root = directory.includes('\0') ? directory : realPath(directory);
  const stats = directory.includes('\0') ? undefined : lstatSync(fsPath(root), { throwIfNoEntry: false });
  if (stats?.isDirectory()) return root;
  throw new GypsumError('invalid-argument', `${showText(directory)} is not a folder.`, {
    hint: 'Give the folder whose files shall be published.',
    details: { directory },
  });
}

function statThrough(path: string): Stats | undefined {
  try {
    return statSync(fsPath(path), { throwIfNoEntry: false });
  } catch (error) {
    if (isSystemError(error, 'ELOOP', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** What is said of a file that was edited through its link: how to keep the edit, and how to mend the cache. */
function edited(path: string, cached: string, file: FileRef): string {
  const [from, fresh, to] = [cached, `${path}.edited`, path].map((name) => `'${showText(name)}'`);
  return [
    'was edited through its link, in the cache.',
    `    To publish the edit, make it a file of this folder: cp ${from} ${fresh} && mv ${fresh} ${to}`,
    `    After that, or if the edit is not wanted: gypsum save ${formatRef(file)} (and other versions with this file: equal files are one)`,
  ].join('\n');
}

/** How many entries a message names; `details` has all. */
const NAMED = 10;

function refusal(root: string, faults: readonly string[]): GypsumError {
  const named = faults.slice(0, NAMED).map((line) => `\n  ${line}`);
  const more = faults.length > NAMED ? `\n  and ${faults.length - NAMED} more` : '';
  return new GypsumError(
    'invalid-tree',
    `${showText(root)} cannot be published, and nothing was sent:${named.join('')}${more}`,
    { hint: 'Do what is said behind each, or rename, remove or replace it.', details: { directory: root, faults } },
  );
}
