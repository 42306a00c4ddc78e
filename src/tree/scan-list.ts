import type { Fingerprint } from '../model/fingerprint.ts';
import type { Entry, SymlinkEntry } from '../model/tree.ts';
import { File, Symlink } from './scan.ts';

/** A symlink, and how the file looks that it leads to, where somebody has looked. */
export interface SeenSymlink extends SymlinkEntry {
  readonly shows?: Fingerprint | undefined;
}

export type SeenEntry = Exclude<Entry, SymlinkEntry> | SeenSymlink;

/**
 * Entries on their way from one thread to another, in a few pieces: of 100,000, to take them apart here takes 25 ms, and as objects that
 * are copied one by one 300.
 *
 * Shape:  paths, and the texts of symlinks, are joined by NUL, which is in neither; five numbers for each entry: the fingerprint of the
 *         file that a symlink leads to, or the size of a file in the place that it has there; NaN for what is not known
 */
export interface ScanList {
  readonly kinds: Uint8Array<ArrayBuffer>;
  readonly paths: string;
  readonly texts: string;
  /** Somebody has looked at what symlinks lead to. */
  readonly isSeen: boolean;
  readonly numbers: Float64Array<ArrayBuffer>;
}

const KINDS = ['directory', 'symlink', 'file', 'special'] as const;
const WIDTH = 5;
const SIZE = 2;

/** Says how the file looks that a symlink leads to; nothing where that is not wanted, or nobody can tell. */
export type Look = (link: SymlinkEntry) => Fingerprint | undefined;

/** Packs entries, and looks at what symlinks lead to, if that is to be done already. */
export function packEntries(entries: readonly Entry[], look: Look | undefined): ScanList {
  const kinds = new Uint8Array(entries.length);
  const numbers = new Float64Array(entries.length * WIDTH).fill(Number.NaN);
  const texts: string[] = [];
  for (const [at, entry] of entries.entries()) {
    kinds[at] = KINDS.indexOf(entry.type);
    if (entry.type === 'file') numbers[at * WIDTH + SIZE] = entry.size;
    if (entry.type !== 'symlink') continue;
    texts.push(entry.target);
    numbers.set(look?.(entry) ?? [], at * WIDTH);
  }
  const paths = entries.map(({ path }) => path);
  return { kinds, numbers, paths: paths.join('\0'), texts: texts.join('\0'), isSeen: look !== undefined };
}

/** Gives the entries of a list, a part of so many at a time, and looks at what symlinks lead to if nobody has. */
export function* unpackEntries(
  { kinds, numbers, isSeen, ...joined }: ScanList,
  many: number,
  look: Look,
): Generator<SeenEntry[]> {
  const paths = joined.paths.split('\0');
  const texts = joined.texts.split('\0').values();
  const number = (at: number, n: number) => numbers[at * WIDTH + n] ?? Number.NaN;
  const printAt = (at: number): Fingerprint | undefined => {
    const [dev, ino] = [number(at, 0), number(at, 1)];
    return Number.isNaN(dev) ? undefined : [dev, ino, number(at, SIZE), number(at, 3), number(at, 4)];
  };
  const entryAt = (at: number): SeenEntry => {
    const path = paths[at] ?? '';
    const type = KINDS[kinds[at] ?? 0] ?? 'special';
    if (type === 'file') return new File(path, number(at, SIZE));
    if (type !== 'symlink') return { type, path };
    const target = texts.next().value ?? '';
    return new Seen(path, target, isSeen ? printAt(at) : look({ type, path, target }));
  };
  for (let from = 0; from < kinds.length; from += many) {
    const part: SeenEntry[] = [];
    for (let at = from; at < Math.min(from + many, kinds.length); at++) part.push(entryAt(at));
    yield part;
  }
}

class Seen extends Symlink implements SeenSymlink {
  readonly shows: Fingerprint | undefined;

  constructor(path: string, target: string, shows: Fingerprint | undefined) {
    super(path, target);
    this.shows = shows;
  }
}

/** What is read, and how far the thread that reads may be ahead of the one that takes it. */
export interface ScanTask {
  /** The folder, by its real path. */
  readonly root: string;
  /** Symlinks are looked through that lead to their own path in this folder. */
  readonly home: string;
  /** How many lists were taken. */
  readonly taken: Int32Array<SharedArrayBuffer>;
}

/** How many lists may wait: those of half a second, in which the manifest is read. Units: lists */
export const MAX_WAITING = 64;

/** How many entries are in a list, but in the last. */
export const LIST = 1_000;
