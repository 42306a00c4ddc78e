import { isDeepStrictEqual } from 'node:util';
import { isObject, parseJsonIfAny } from './json.ts';
import { MAX_FILE_BYTES } from './manifest.ts';
import { knownFile } from './manifest-tree.ts';
import { isMtime } from './mtime.ts';
import { pathFault } from './names.ts';
import { type DirectoryEntry, factsOf, nameOf, parentPath, type TargetType } from './tree.ts';
import { linkTextFault, type RecordSymlink } from './tree-record.ts';
import type { VersionEntry } from './version-tree.ts';

/** A version's tree, with what of its manifest is needed to find the content of a file. */
export interface PackableTree {
  readonly entries: readonly VersionEntry[];
  /** Whether the bytes of a file are another version's. */
  isLink(path: string): boolean;
}

const FORMAT = 1;

/** What stands between columns: within one, neither names nor the texts of symlinks are empty or have a NUL. */
const BETWEEN = '\0\0';

const NO_TIME = '-'.repeat('yyyy-mm-ddThh:mm:ss.nnnnnnnnnZ'.length);

const TARGET_TYPES: Readonly<Record<string, TargetType>> = { d: 'dir', f: 'file', u: 'unknown' };

/** A name that is empty, is "." or begins with "..", or has what no name has. */
const FAULTY_NAME = /(?:^|\0)(?:\0|$|\.(?:\.|\0|$))|[/\\]/;

/**
 * Writes a tree as columns of a text, of which 100,000 entries are read in 0.1 s of CPU; the manifest and the record that it was
 * read from take 0.9 s. `from` is JSON that says what those were. Gives nothing for names that no text holds as they are.
 *
 * Shape:  <head> <shape> <names> <digests> <times> <target types> <targets>, each with two NUL characters behind it
 *         head     {"packed-tree":1,"from":…,"sizes":[of each file],"modes":[of each entry, or null]}
 *         shape    of each entry a letter, with "." where a folder ends: directory, file, link to a file of another version, symlink
 *         names, targets  with a NUL character between; the times of entries and the digests of files with nothing between
 */
export function packTree({ entries, isLink }: PackableTree, from: unknown): string | undefined {
  const shape: string[] = [];
  const sizes: number[] = [];
  const digests: string[] = [];
  const symlinks: RecordSymlink[] = [];
  let folder = '';
  for (const entry of entries) {
    for (const above = parentPath(entry.path); folder !== above; folder = parentPath(folder)) shape.push('.');
    if (entry.type === 'directory') {
      shape.push('d');
      folder = entry.path;
    } else if (entry.type === 'symlink') {
      shape.push('s');
      symlinks.push(entry);
    } else {
      shape.push(isLink(entry.path) ? 'l' : 'f');
      sizes.push(entry.size);
      digests.push(entry.digest.hex);
    }
  }
  const modes = entries.map(({ mode }) => mode ?? null);
  const text = [
    JSON.stringify({ 'packed-tree': FORMAT, from, sizes, modes }),
    shape.join(''),
    entries.map(({ path }) => nameOf(path)).join('\0'),
    digests.join(''),
    entries.map(({ mtime }) => mtime ?? NO_TIME).join(''),
    symlinks.map(({ targetType }) => targetType[0]).join(''),
    symlinks.map(({ target }) => target).join('\0'),
    '',
  ].join(BETWEEN);
  return text.isWellFormed() ? text : undefined;
}

/** Reads what `packTree` has written of the same `from`; nothing if it is of another, or is anything else. */
export function unpackTree(text: string, from: unknown): PackableTree | undefined {
  const [head = '', shape = '', names = '', digests = '', times = '', targetTypes = '', targets = '', ...end] =
    text.split(BETWEEN);
  const known = parseJsonIfAny(head);
  if (!isHead(known) || !isDeepStrictEqual(known.from, from)) return undefined;
  // Where there are entries, a column is looked at as a whole: to look at each name takes three times as long.
  if (end.length !== 1 || end[0] !== '' || (shape !== '' && FAULTY_NAME.test(names)) || !/^[0-9a-f]*$/.test(digests))
    return undefined;
  const { sizes, modes } = known;
  const columns = { sizes, modes, shape, names: split(names), digests, times, targetTypes, targets: split(targets) };
  const entries = readColumns(columns);
  if (entries === undefined) return undefined;
  const isLink = (path: string) => {
    const at = entries.findIndex((entry) => entry.path === path);
    return shape.replaceAll('.', '')[at] === 'l';
  };
  return { entries, isLink };
}

function split(column: string): string[] {
  return column === '' ? [] : column.split('\0');
}

interface Columns {
  readonly sizes: readonly number[];
  readonly modes: readonly (number | null)[];
  readonly shape: string;
  readonly names: readonly string[];
  readonly digests: string;
  readonly times: string;
  readonly targetTypes: string;
  readonly targets: readonly string[];
}

/** Gives the entries, in the order of `comparePaths`, each in its folder; nothing if that is not what columns hold. */
function readColumns(columns: Columns): VersionEntry[] | undefined {
  const { sizes, modes, shape, names, digests, times, targetTypes, targets } = columns;
  const entries: VersionEntry[] = [];
  /** Of each open folder its path with "/" behind, and the name that was last in it. */
  const open = [{ prefix: '', last: '' }];
  let [files, symlinks] = [0, 0];
  for (const letter of shape) {
    if (letter === '.') {
      open.pop();
      continue;
    }
    const folder = open.at(-1);
    const at = entries.length;
    const name = names[at];
    const mode = modes[at] ?? undefined;
    const time = times.slice(at * NO_TIME.length, (at + 1) * NO_TIME.length);
    const mtime = time === NO_TIME ? undefined : time;
    if (folder === undefined || name === undefined || name <= folder.last) return undefined;
    if (mtime !== undefined && !isMtime(mtime)) return undefined;
    const path = folder.prefix + name;
    if (path.length > SHORT && pathFault(path) !== undefined) return undefined;
    folder.last = name;
    if (letter === 'd') {
      const entry: DirectoryEntry = { type: 'directory', path, ...factsOf({ mode, mtime }) };
      entries.push(entry);
      open.push({ prefix: `${path}/`, last: '' });
    } else if (letter === 's') {
      const [target = '', targetType] = [targets[symlinks], TARGET_TYPES[targetTypes[symlinks] ?? '']];
      if (linkTextFault(target) !== undefined || targetType === undefined || mode !== undefined) return undefined;
      entries.push({ type: 'symlink', path, target, targetType, ...(mtime !== undefined && { mtime }) });
      symlinks++;
    } else {
      const size = sizes[files];
      const hex = digests.slice(files * 32, (files + 1) * 32);
      if ((letter !== 'f' && letter !== 'l') || size === undefined) return undefined;
      entries.push(knownFile({ path, entry: { size, md5sum: hex } }, { mode, mtime }));
      files++;
    }
  }
  const isWhole =
    names.length === entries.length &&
    modes.length === entries.length &&
    times.length === entries.length * NO_TIME.length &&
    sizes.length === files &&
    digests.length === files * 32 &&
    targets.length === symlinks &&
    targetTypes.length === symlinks;
  return isWhole ? entries : undefined;
}

/** Units: characters. Of a path that is not longer, nothing can be wrong if its names are right. */
const SHORT = 256;

interface Head {
  readonly from: unknown;
  readonly sizes: readonly number[];
  readonly modes: readonly (number | null)[];
}

function isHead(value: unknown): value is Head {
  if (!isObject(value) || value['packed-tree'] !== FORMAT) return false;
  const { sizes, modes } = value;
  return isListOf(sizes, isSize) && isListOf(modes, isMode);
}

function isListOf<T>(value: unknown, isOne: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isOne);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_FILE_BYTES;
}

function isMode(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0o777);
}
