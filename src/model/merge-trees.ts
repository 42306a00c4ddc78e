import { meantMode, modeOf, sameMode } from './modes.ts';
import { comparePaths, factsOf, isBelow, parentPath, withDirectories } from './tree.ts';
import type { VersionEntry } from './version-tree.ts';

/** What becomes of one entry of a version: it is added, updated, removed, or there is an error with it. */
export interface TreeChange {
  readonly sign: '+' | '*' | '-' | 'E';
  readonly path: string;
  /** Absent where it is not known. */
  readonly type?: VersionEntry['type'] | 'special';
  /** Of a file. Units: bytes */
  readonly size?: number;
  /** The text of a symlink. */
  readonly target?: string;
  /** Of an error: the end of a sentence that begins with the path. */
  readonly why?: string;
}

export interface MergeOptions {
  /** Remove what stands below this folder of the base and is not among the entries; nothing without it. */
  readonly removeBelow?: string;
  /** Says of entries of the base that they stay. */
  readonly isKept?: (path: string) => boolean;
  /** Take permissions that may come of a umask for what somebody has said. @default false */
  readonly exact?: boolean;
}

export interface MergedTree {
  /** All of the version to be, in the order of `comparePaths`. */
  readonly entries: readonly VersionEntry[];
  /** In the same order. */
  readonly changes: readonly TreeChange[];
}

/**
 * Puts entries into the tree of a version, in whose order they are; an entry that is as it was is no change, whatever its time. One
 * that would take the place of a folder with something in it that stays is an error, and what was there stays.
 */
export function mergeTrees(
  base: readonly VersionEntry[],
  entries: readonly VersionEntry[],
  { removeBelow, isKept = () => false, exact = false }: MergeOptions = {},
): MergedTree {
  const own = new Map(entries.map((entry) => [entry.path, entry]));
  const before = new Map(base.map((entry) => [entry.path, entry]));
  const folders = new Set<string>();
  const stay = new Map<string, VersionEntry>();
  const changes: TreeChange[] = [];

  const keep = (entry: VersionEntry) => {
    stay.set(entry.path, entry);
    for (let at = parentPath(entry.path); at !== '' && !folders.has(at); at = parentPath(at)) folders.add(at);
  };
  // The last ones first: what is in a folder decides whether that stays.
  for (const entry of base.toReversed()) {
    if (own.has(entry.path)) continue;
    const isMeant = removeBelow !== undefined && (removeBelow === '' || isBelow(entry.path, removeBelow));
    if (!isMeant || isKept(entry.path) || folders.has(entry.path)) keep(entry);
    else changes.push({ sign: '-', ...describeChange(entry) });
  }
  for (const entry of entries) {
    const was = before.get(entry.path);
    if (entry.type !== 'directory' && folders.has(entry.path)) {
      changes.push({
        sign: 'E',
        ...describeChange(entry),
        why: 'is a folder of the version, with something in it that stays',
      });
      if (was !== undefined) stay.set(entry.path, was);
      continue;
    }
    const next = withFacts(entry, was, exact);
    stay.set(entry.path, next);
    if (was === undefined) changes.push({ sign: '+', ...describeChange(entry) });
    else if (!isSame(was, next, exact)) changes.push({ sign: '*', ...describeChange(entry) });
  }
  const all = [...stay.values()].sort((a, b) => comparePaths(a.path, b.path));
  changes.sort((a, b) => comparePaths(a.path, b.path));
  return { entries: withDirectories(all), changes };
}

export function describeChange(entry: VersionEntry): Omit<TreeChange, 'sign'> {
  const { type, path } = entry;
  if (type === 'file') return { type, path, size: entry.size };
  return type === 'symlink' ? { type, path, target: entry.target } : { type, path };
}

/** Has an entry of which less is known keep what was known; a time is that of what it holds. */
function withFacts(entry: VersionEntry, was: VersionEntry | undefined, exact: boolean): VersionEntry {
  if (was?.type !== entry.type) return entry;
  const mtime = entry.mtime ?? (holdsSame(was, entry) ? was.mtime : undefined);
  if (entry.type === 'symlink' || was.type === 'symlink') return { ...entry, ...factsOf({ mode: entry.mode, mtime }) };
  const { mode: _, ...rest } = entry;
  return { ...rest, ...factsOf({ mode: exact ? (entry.mode ?? was.mode) : meantMode(entry.mode, was), mtime }) };
}

function isSame(a: VersionEntry, b: VersionEntry, exact: boolean): boolean {
  if (!holdsSame(a, b)) return false;
  if (a.type === 'symlink' || b.type === 'symlink') return true;
  return exact ? modeOf(a) === modeOf(b) : sameMode(a, b);
}

function holdsSame(a: VersionEntry, b: VersionEntry): boolean {
  if (a.type === 'symlink') return b.type === 'symlink' && a.target === b.target && a.targetType === b.targetType;
  if (a.type === 'file') return b.type === 'file' && a.size === b.size && a.digest.hex === b.digest.hex;
  return b.type === a.type;
}
