import { dirname, join, relative } from 'node:path';
import { readCloneFiles } from '../cache/clone-files.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { showText } from '../model/text.ts';
import { type Entry, joinPath } from '../model/tree.ts';
import { describeAstray, findAstray } from './astray-links.ts';
import { entriesAt } from './entries-at.ts';
import type { FileClone, FileClones } from './file-clones.ts';
import { type Copies, type Copy, createCopies } from './find-copies.ts';
import type { Linked } from './found.ts';
import { leadsStraight } from './leads-straight.ts';
import { createLinkTargets, type LinkTarget, type LinkTargets } from './link-targets.ts';
import { watchBuckets } from './watch-buckets.ts';

/** A link of a clone, found by its place. */
export interface CloneLink extends Linked {
  /** An absolute path. */
  readonly source: string;
  readonly inSite: boolean;
  /** The text of the link; absent where a folder that the file is in is the link, and of a copy. */
  readonly text?: string;
  /** It is no link, but a file of a clone of real files, and as its version's. */
  readonly copy?: CopyOf;
}

export interface CopyOf extends Pick<Copy, 'seen' | 'inCache'> {
  readonly clone: FileClone;
}

export interface FindLinksOptions extends CallOptions {
  /** Clones of real files, of which those are meant, too, that are unchanged. @default none */
  copiesIn?: FileClones;
}

/**
 * Finds the links into the cache at paths in clones: paths of links, folders with all links in them, or globs. What else
 * is there is left out. Throws `not-found` naming a path where there is none, and `invalid-argument`.
 */
export async function findCloneLinks(
  ctx: Context,
  paths: readonly string[],
  { copiesIn, ...options }: FindLinksOptions,
): Promise<readonly CloneLink[]> {
  const found = new Map<string, CloneLink>();
  const targets = createLinkTargets(ctx, options);
  const copies = findCopies(ctx, copiesIn, targets, options);
  const buckets = watchBuckets(ctx);
  const pace = createPace(options.signal);
  const astray = (folder: string, entry: Entry) => {
    if (entry.type !== 'symlink') return [];
    const found = findAstray(folder, entry, buckets.resolve(dirname(join(folder, entry.path)), entry.target));
    return found === undefined ? [] : [{ ...found, name: entry.path }];
  };
  for (const path of paths) {
    let some = false;
    const { folder, entries } = (await entriesAt(path, buckets, options)) ?? { folder: '', entries: [] };
    for (const entry of entries) {
      if (pace.due()) await pace.rest();
      const link = join(folder, entry.path);
      const copy = entry.type === 'file' ? await copies.at(link) : undefined;
      if (copy !== undefined) {
        const { target, ...rest } = copy;
        found.set(link, { ...linkOf(entry.path, target), source: link, inSite: false, copy: rest });
        some = true;
      }
      if (entry.type !== 'symlink') continue;
      const to = buckets.resolve(dirname(link), entry.target);
      if (to.type !== 'inside') continue;
      const inSite = buckets.isSite(to);
      for (const target of await targets.find(to.parts, { changing: true })) {
        const source = target.below === '' ? link : join(link, target.below);
        // What leads there by way of another link is not one of the clone's own making.
        const isLink = target.below === '' && leadsStraight(link, entry.target, buckets);
        const text = isLink ? { text: entry.target } : {};
        found.set(source, { ...linkOf(entry.path, target), source, inSite, ...text });
        some = true;
      }
    }
    if (!some) throw noLink(path, describeAstray(entries.flatMap((entry) => astray(folder, entry))));
  }
  return [...found.values()];
}

/** The unchanged files of clones of real files: what such a file is of its version, and how it looks. */
interface CloneCopies {
  at(source: string): Promise<(CopyOf & { readonly target: LinkTarget }) | undefined>;
}

function findCopies(
  ctx: Context,
  clones: FileClones | undefined,
  targets: LinkTargets,
  options: CallOptions,
): CloneCopies {
  const opened = new Map<FileClone, Promise<Copies>>();
  const open = async ({ root, receipt }: FileClone) => {
    const known = await readCloneFiles(ctx.cache.layout, receipt.destination, receipt);
    return createCopies(ctx, root, receipt, known, targets, options);
  };
  return {
    async at(source) {
      const clone = clones?.around(source);
      if (clone === undefined) return undefined;
      const copies = opened.get(clone) ?? open(clone);
      opened.set(clone, copies);
      const copy = await (await copies).find(relative(clone.root, source));
      return copy && { ...copy, clone };
    },
  };
}

function linkOf(path: string, { below, file, size, md5sum, source: project }: LinkTarget): Linked {
  return { path: joinPath(path, below), file, size, md5sum, project };
}

function noLink(path: string, astray: readonly string[] = []): GypsumError {
  return new GypsumError(
    'not-found',
    `"${showText(path)}" is no link of a clone into the cache, nor a folder with any.`,
    {
      hint:
        astray.length > 0
          ? astray.join('\n')
          : 'Give paths of links in a clone, folders, or quoted globs such as "my-clone/**/*.csv". Files of a folder that are no links are its own.',
      details: { path },
    },
  );
}
