import { basename, dirname, join, relative, sep } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createMatcher } from '../model/select-files.ts';
import { showText } from '../model/text.ts';
import { comparePaths, type Entry, isBelow, joinPath, type Tree } from '../model/tree.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { entryAt } from './entries-at.ts';
import { cloneAround, type FoundClone, findClone } from './find-clone.ts';
import { leftoversIn } from './leftovers.ts';
import { scanClone } from './scan-clone.ts';
import { type TakenApart, takeApart } from './take-apart.ts';
import { type Buckets, watchBuckets } from './watch-buckets.ts';

/** What of a clone is meant: paths of files, folders with all that is in them, or globs. */
export interface CloneSelection {
  /** All of the clone that the paths lie in. @default false */
  all?: boolean | undefined;
  /** Patterns for paths in the clone that the paths lie in, in place of these paths themselves. */
  globs?: readonly string[] | undefined;
}

/** A part of a clone. */
export interface CloneParts {
  readonly clone: FoundClone;
  /**
   * What of the clone is there and may be meant, with the folders around it, and what killed processes have left beside it;
   * in the order of `comparePaths`, in parts; to be read once.
   */
  readonly tree: AsyncIterable<Tree>;
  /** Whether all of the clone is meant: then nothing has to be known of the tree before it is read. */
  readonly isWhole: boolean;
  /** Gives those of some paths that are meant; throws `not-found` naming what means none of them. */
  choose(paths: readonly string[]): ReadonlySet<string>;
}

/** One thing that somebody has named. */
interface Part {
  readonly given: string;
  /** The folder of the clone in which it is looked for; empty for the clone itself. */
  readonly folder: string;
  /** A name, path or pattern in there; empty for all of it. */
  readonly named: string;
}

/** Finds the one clone in which all that is named lies, and reads that part of it. Throws `not-found` or `invalid-argument`. */
export async function selectInClone(
  ctx: Context,
  paths: readonly string[],
  { all = false, globs = [] }: CloneSelection,
  options: CallOptions,
): Promise<CloneParts> {
  const buckets = watchBuckets(ctx);
  const parts: Part[] = [];
  let clone: FoundClone | undefined;
  for (const given of paths) {
    const apart = await takeNamed(ctx, given, buckets, options);
    if (apart === undefined) throw notThere(given);
    // Most paths lie in the clone of the one before.
    const isSame = clone !== undefined && (apart.folder === clone.root || apart.folder.startsWith(clone.root + sep));
    const found = isSame && clone !== undefined ? clone : await findClone(ctx, apart.folder, options);
    if (clone !== undefined && found.root !== clone.root) throw severalClones(clone.root, found.root);
    clone = found;
    const folder = relative(found.root, apart.folder).replaceAll(sep, '/');
    parts.push({ given, folder, named: apart.named });
  }
  if (clone === undefined) throw nothingNamed();
  const meant = all
    ? [{ given: clone.root, folder: '', named: '' }]
    : globs.length > 0
      ? globs.map((glob) => ({ given: glob, folder: '', named: glob }))
      : parts;
  const tests = meant.map((part) => ({ ...part, matches: createTest(part) }));
  return {
    clone,
    isWhole: isWhole(meant),
    tree: readParts(clone.root, meant, options),
    choose(candidates) {
      const chosen = new Set<string>();
      const known = new Set(candidates);
      for (const { given, folder, named, matches } of tests) {
        const exact = joinPath(folder, named);
        if (known.has(exact)) {
          chosen.add(exact);
          continue;
        }
        const found = candidates.filter(matches);
        if (found.length === 0) throw notThere(given);
        if (found.length === candidates.length) return known;
        for (const path of found) chosen.add(path);
      }
      return chosen;
    },
  };
}

/** Takes a path apart; a symlink to a folder that stands in a clone is meant itself, unless it is named with a slash behind it. */
async function takeNamed(
  ctx: Context,
  given: string,
  buckets: Buckets,
  options: CallOptions,
): Promise<TakenApart | undefined> {
  const apart = await takeApart(given, buckets);
  if (apart?.named !== '' || given.endsWith(sep)) return apart;
  const place = absolutePath(given);
  if (statIfThere(place)?.isSymbolicLink() !== true) return apart;
  const folder = realPath(dirname(place));
  const isInClone = (await cloneAround(ctx, folder, options)) !== undefined;
  return isInClone ? { folder, named: basename(place) } : apart;
}

function createTest({ folder, named }: Part): (path: string) => boolean {
  if (named === '') return (path) => isBelow(path, folder);
  const matches = createMatcher(named);
  return (path) => isBelow(path, folder) && matches(folder === '' ? path : path.slice(folder.length + 1));
}

function isWhole([first, second]: readonly Part[]): boolean {
  return first?.folder === '' && first.named === '' && second === undefined;
}

async function* readParts(root: string, parts: readonly Part[], options: CallOptions): AsyncGenerator<Tree> {
  // What was looked at need not stay: a million entries take 200 MiB.
  if (isWhole(parts)) return yield* scanClone(root, options);
  const found = new Map<string, Entry>();
  const [scanned, searched] = [new Set<string>(), new Set<string>()];
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  for (const { folder, named } of parts) {
    for (let end = folder.indexOf('/'); folder !== ''; end = folder.indexOf('/', end + 1)) {
      const path = end === -1 ? folder : folder.slice(0, end);
      found.set(path, { type: 'directory', path });
      if (end === -1) break;
    }
    if (scanned.has(folder)) continue;
    const one = named === '' || named.includes('/') ? undefined : entryAt(root, joinPath(folder, named));
    if (one !== undefined) {
      found.set(one.path, one);
      if (searched.has(folder)) continue;
      searched.add(folder);
      for (const entry of leftoversIn(root, folder)) found.set(entry.path, entry);
    } else {
      scanned.add(folder);
      for (const entry of await scanFolder(join(root, folder), options)) {
        const path = joinPath(folder, entry.path);
        found.set(path, folder === '' ? entry : { ...entry, path });
      }
    }
  }
  options.onEvent?.({ type: 'end', task: 'scan' });
  yield [...found.values()].sort((a, b) => comparePaths(a.path, b.path));
}

function notThere(path: string): GypsumError {
  return new GypsumError('not-found', `"${showText(path)}" means no file of a clone.`, {
    hint: 'Give paths of files in a clone, folders, or quoted globs such as "my-clone/**/*.csv".',
    details: { path },
  });
}

function severalClones(one: string, other: string): GypsumError {
  return new GypsumError(
    'invalid-argument',
    `${showText(one)} and ${showText(other)} are two clones: one at a time can be changed.`,
    { hint: 'Do it for each clone by itself.', details: { clones: [one, other] } },
  );
}

function nothingNamed(): GypsumError {
  return new GypsumError('invalid-argument', 'It is not said which files are meant.', {
    hint: 'Give paths, "all" (--all) or globs (--glob).',
  });
}
