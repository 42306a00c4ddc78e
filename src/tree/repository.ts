import type { CallOptions } from '../events.ts';
import type { TargetType } from '../model/tree.ts';
import type { ReplicaEntry, ReplicaFile, ReplicaFolder, ReplicaSymlink } from './replica-entry.ts';

/**
 * A place that holds a tree, and can be replicated or be a replica; a local folder is one. Paths are those of the tree, which
 * are never led through a symlink. What is optional saves work: without it everything comes out the same.
 */
export interface Repository {
  /** What the digests of its entries are; those of two repositories that are compared are the same. @default 'sha256' */
  readonly algorithm?: ContentAlgorithm;
  list(options?: ListOptions): Promise<Listing>;
  /** Hears of a folder that the next listing, which needs no stamps, may hold, and about how many entries it has. */
  expect?(path: string, entries: number): void;
  /** Opens a file to read it; throws `file-changed` where none stands. */
  read(path: string): Promise<File>;
  /** Makes a folder, a symlink, or a file with the content of another one, where nothing stands. Throws as `modify` does. */
  create(entry: NewEntry, content?: File): Promise<Written>;
  /**
   * Puts a file or symlink in the place of whatever stands there and is no folder, at once; or gives what stands there
   * another mode or time. Throws `file-changed` if the content is not the same any more once it was read: nothing has changed then.
   */
  modify(change: Change, content?: File): Promise<Written>;
  /** Removes a file, a symlink, a special file or an empty folder. */
  delete(path: string, type: ReplicaEntry['type']): Promise<void>;
  /** Gives an entry another path, where no folder stands. With `stays`, a file also keeps the one that it has. */
  move?(from: string, to: string, options?: { stays?: boolean }): Promise<void>;
  /** Does what `create` and `modify` do, with the content of a file of its own; throws `file-changed` if that has not this digest. */
  copy?(from: string, entry: ReplicaFile & { readonly digest: string }): Promise<void>;
  /** Brings the contents of files to where they can be read at once, all or none; nothing is read before. */
  gather?(paths: readonly string[], options?: CallOptions): Promise<void>;
  /** Gives the file that stands at a path, with its stamp; nothing where none does. */
  look?(path: string): ReplicaFile | undefined;
  /** Removes what a listing has called leftovers, as far as it is still there. */
  clear?(leftovers: readonly string[]): Promise<void>;
  /** Lets go of what is open. */
  close(): void;
}

/** What names a content: so are two known for the same, whoever has written them. */
export type ContentAlgorithm = 'sha256' | 'md5';

/** A file that is open to be read. */
export interface File {
  /** What it was when it was opened. */
  readonly opened: Look;
  /** Says what it is now. */
  look(): Look;
  /** Gives its content, from a byte on. */
  chunks(from?: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** A path that leads to it on this machine while it is open. */
  readonly place?: string;
  close(): void;
}

export interface Look {
  readonly entry: ReplicaFile;
  /** Another one as soon as anything was written to it. */
  readonly stamp: string;
}

/** What is made; of a file its facts, since the content comes with it. */
export type NewEntry = ReplicaFolder | ReplicaSymlink | Omit<ReplicaFile, 'size'>;

/** What becomes of an entry; what is absent stays. */
export interface Change {
  readonly type: 'file' | 'symlink' | 'directory';
  readonly path: string;
  readonly mode?: number;
  readonly mtime?: number;
  /** Of a symlink that is made. */
  readonly target?: string;
  readonly targetType?: TargetType;
}

export interface Written {
  /** Of the content, where it is known. */
  readonly digest?: string;
  /** Of the file that the content came from, as it was all the time. */
  readonly stamp?: string;
}

export interface ListOptions extends CallOptions {
  /** Says of an entry whether it is left out with all that is below it. */
  skip?: (path: string, isFolder: boolean) => boolean;
  /** Give files their stamps. @default false */
  stamps?: boolean;
  /** Gives digests that are known by stamps, if they are given: then nobody has to find them out. */
  digestOf?: ((stamp: string) => string | undefined) | undefined;
  /**
   * Entries that were listed before, or of a tree that is nearly the same: those that are the same, and texts of others, may be given
   * again, which saves memory.
   */
  before?: readonly ReplicaEntry[] | undefined;
  /** Hears of each folder, and how many entries it has. */
  onFolder?: ((path: string, entries: number) => void) | undefined;
}

/** What a repository holds. */
export interface Listing {
  /** In the order of `comparePaths`. */
  readonly entries: readonly ReplicaEntry[];
  /** What was left out, each with all that is below it. */
  readonly left: readonly string[];
  /** What is below these folders could not be read; the folders are among the entries. */
  readonly unreadable: readonly { readonly path: string; readonly error: Error }[];
  /** Symlinks that were to be followed and were not, and why: the end of a sentence that begins with the path. */
  readonly unfollowed: readonly { readonly path: string; readonly why: string }[];
  /** What killed processes of ours have left; not among the entries. */
  readonly leftovers: readonly string[];
}
