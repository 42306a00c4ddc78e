import type { ReplicaEntry } from './replica-entry.ts';

/**
 * What some folders hold, on its way from one thread to another, in a few pieces: to copy objects one by one takes longer than to read
 * them.
 *
 * Shape:  the paths of each folder's entries are joined by NUL, which is in none; a folder that could not be read has null. Modes,
 *         sizes and times are those of all entries, and count for files with one name and less than 2 GiB, which nearly all are; the
 *         others are given as they are, by their place. They are integers in arrays of integers: if one of the fields were a double
 *         once, V8 would make all files that were listed elsewhere anew, which took 0.25 s for 100,000
 */
export interface PackedFolders {
  readonly paths: readonly (string | null)[];
  readonly modes: Uint16Array<ArrayBuffer>;
  readonly sizes: Int32Array<ArrayBuffer>;
  readonly mtimes: Float64Array<ArrayBuffer>;
  readonly others: ReadonlyMap<number, ReplicaEntry>;
}

const MAX_SIZE = 2 ** 31 - 1;

/** Packs the entries of folders; nothing stands for a folder that could not be read. */
export function packFolders(folders: readonly (readonly ReplicaEntry[] | undefined)[]): PackedFolders {
  const entries = folders.flatMap((folder) => folder ?? []);
  const modes = new Uint16Array(entries.length);
  const sizes = new Int32Array(entries.length);
  const mtimes = new Float64Array(entries.length);
  const others = new Map<number, ReplicaEntry>();
  for (const [at, entry] of entries.entries()) {
    if (entry.type === 'file' && entry.mode !== undefined && entry.inode === undefined && entry.size <= MAX_SIZE) {
      modes[at] = entry.mode;
      sizes[at] = entry.size;
      mtimes[at] = entry.mtime;
    } else others.set(at, entry);
  }
  const paths = folders.map((folder) => folder?.map(({ path }) => path).join('\0') ?? null);
  return { paths, modes, sizes, mtimes, others };
}

/** Gives the entries of each of the folders, in the same order; nothing for one that could not be read. */
export function unpackFolders({ paths, modes, sizes, mtimes, others }: PackedFolders): (ReplicaEntry[] | undefined)[] {
  let at = 0;
  return paths.map((joined) => {
    if (joined === null) return undefined;
    if (joined === '') return [];
    return joined.split('\0').map((path) => {
      const entry = others.get(at) ?? fileAt(path, at);
      at++;
      return entry;
    });
  });

  function fileAt(path: string, at: number): ReplicaEntry {
    return { type: 'file', path, size: sizes[at] ?? 0, mode: modes[at] ?? 0, mtime: mtimes[at] ?? 0 };
  }
}

/** What a thread is asked to read. */
export interface ReadTask {
  /** Its number, by which it is claimed. */
  readonly at: number;
  readonly paths: readonly string[];
}

/** What a thread has read of a task. */
export interface ReadAnswer {
  readonly at: number;
  readonly packed: PackedFolders;
}

/** Where the tasks are, and which of them have been begun, by this thread or the other. */
export interface ReadWork {
  readonly root: string;
  readonly claims: Int32Array<SharedArrayBuffer>;
}

/** Takes a task, unless the other thread has. */
export function claim(claims: Int32Array<SharedArrayBuffer>, at: number): boolean {
  return Atomics.compareExchange(claims, at, 0, 1) === 0;
}
