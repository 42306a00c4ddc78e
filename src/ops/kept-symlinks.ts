import type { Context } from '../context.ts';
import { createPathResolver } from '../model/realpath.ts';
import { staysInside } from '../model/stays-inside.ts';
import { comparePaths, type Entry, factsOf, isBelow, parentPath, withDirectories } from '../model/tree.ts';
import { type RecordSymlink, TREE_RECORD } from '../model/tree-record.ts';
import { type Found, type FoundFolder, faultOf, faultOfName } from './found.ts';
import { type Reading, type ReadOptions, readFolder } from './read-folder.ts';

/**
 * What becomes of a folder's own symlinks, those that do not lead into a cache. `keep`: they are symlinks of the version. `safe`:
 * the same, and one that leads out of the folder is an error. `refuse`: each is an error. `follow`: what they lead to stands in
 * their places, and one that leads nowhere, to itself or to a folder that it stands in is an error.
 */
export type SymlinkRule = (typeof SYMLINK_RULES)[number];

export const SYMLINK_RULES = ['keep', 'safe', 'refuse', 'follow'] as const;

/** Reads a folder, given by its real path, without its tree record; where symlinks are kept, its folders are entries too. */
export async function readKept(
  ctx: Context,
  root: string,
  {
    symlinks,
    notMade = [],
    ahead,
    ...options
  }: Omit<ReadOptions, 'keepSymlinks' | 'facts' | 'exclude'> & {
    readonly symlinks: SymlinkRule;
    /** Symlinks that could not be made there: where nothing is, they are kept. */
    readonly notMade?: readonly RecordSymlink[];
  },
): Promise<Reading> {
  const keep = symlinks !== 'follow';
  const exclude = (path: string) => path === TREE_RECORD;
  const thread = keep ? undefined : ahead;
  const reading = await readFolder(ctx, root, { ...options, ahead: thread, keepSymlinks: keep, facts: keep, exclude });
  return keep ? { ...reading, entries: checkKept(withFacts(reading, notMade), symlinks) } : reading;
}

/** Adds what was seen of entries, folders, and the symlinks that could not be made, in folders that are there and where nothing is. */
export function withFacts({ entries, seen }: Reading, notMade: readonly RecordSymlink[]): Found[] {
  const folders: FoundFolder[] = [];
  for (const entry of seen.values()) {
    if (entry.type !== 'directory') continue;
    const fault = faultOfName(entry.path);
    folders.push({ ...entry, ...(fault !== undefined && { fault }) });
  }
  const all = entries.map((found): Found => {
    const entry = seen.get(found.path);
    if (entry === undefined || entry.type === 'special' || (entry.type === 'symlink' && found.type !== 'symlink'))
      return found;
    const facts = factsOf(entry);
    if (found.type !== 'symlink' || found.isKept !== true || entry.type !== 'symlink') return { ...found, ...facts };
    return { ...found, ...facts, ...(entry.targetType !== undefined && { targetType: entry.targetType }) };
  });
  const there = new Set(notMade.length === 0 ? [] : entries.map(({ path }) => path));
  const isFolder = (path: string) => path === '' || seen.get(path)?.type === 'directory';
  const missing = notMade
    .filter(({ path }) => !there.has(path) && !seen.has(path) && isFolder(parentPath(path)))
    .map((link) => ({ ...link, isKept: true }) as const);
  return [...all, ...missing, ...folders].sort((a, b) => comparePaths(a.path, b.path));
}

/** Says of a whole reading which of its own symlinks are not what a rule wants, and of each what it leads to in a version. */
export function checkKept(found: readonly Found[], rule: SymlinkRule): Found[] {
  const resolver = createPathResolver(withDirectories(found.map(toEntry)));
  return found.flatMap((entry, at) => {
    // Of a folder with a name that cannot be, what is in it has one too.
    const isNamedBelow = entry.fault !== undefined && isBelow(found[at + 1]?.path ?? '', entry.path);
    if (entry.type === 'directory' && isNamedBelow) return [];
    if (entry.type !== 'symlink' || !entry.isKept || entry.fault !== undefined) return entry;
    if (rule === 'refuse') return { ...entry, fault: faultOf('refused') };
    if (rule === 'safe' && !staysInside(resolver, entry)) return { ...entry, fault: faultOf('escape') };
    // A link to a file of a version is a file there, also where the cache has not got it.
    const to = resolver.resolve(`/${entry.path}`);
    if (to.kind === 'escape' || to.kind === 'absolute') return { ...entry, leadsOut: true } as const;
    if (to.kind !== 'found') return entry;
    return { ...entry, targetType: to.entry === undefined || to.entry.type === 'directory' ? 'dir' : 'file' };
  });
}

/** Gives what an entry is in a version. */
function toEntry(found: Found): Entry {
  const { path } = found;
  if (found.type === 'directory' || found.type === 'special') return { type: found.type, path };
  if (found.type === 'symlink' && found.targetType !== undefined)
    return { type: 'symlink', path, target: found.target };
  return { type: 'file', path, size: found.size ?? 0 };
}
