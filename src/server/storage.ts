import type { Readable } from 'node:stream';
import { MAX_KEY_BYTES } from '../model/names.ts';
import type { Expected } from '../verify-stream.ts';

/** What a storage knows of an object without its content. */
export interface ObjectInfo {
  readonly key: string;
  /** Units: bytes */
  readonly size: number;
  readonly modified: Date;
  /** MD5 of the content: 32 lower-case hexadecimal digits. */
  readonly md5: string;
  /** As it was given when the object was put. */
  readonly contentType?: string;
  /** Beside the object, never in it, and never sent to anybody. */
  readonly metadata?: Metadata;
}

export type Metadata = Readonly<Record<string, string>>;

export interface StoredObject extends ObjectInfo {
  /** The content, or the range of it that was asked for; whoever asked reads it to its end or destroys it. */
  readonly body: Readable;
}

/** Units: bytes, both inclusive */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface StageOptions {
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Content that has arrived and is right, and that nobody sees yet. */
export interface Staged {
  /** Makes it the object of this key at once, whole and durable. */
  publish(key: string): Promise<void>;
  /** Forgets it; does nothing once it is published. */
  discard(): Promise<void>;
}

export interface PutOptions {
  readonly metadata?: Metadata;
  /** Refuses, atomically, where the key is taken. @default false */
  readonly ifAbsent?: boolean;
}

export interface ListOptions {
  /** Without it one level is listed, and what lies deeper stands as its folder with a trailing `/`. @default false */
  readonly recursive?: boolean;
}

/**
 * Whether a key is one that every storage holds: not empty, in Unicode that is whole, without empty components, and no
 * longer than an object store takes.
 */
export function isStorable(key: string): boolean {
  return key.isWellFormed() && Buffer.byteLength(key) <= MAX_KEY_BYTES && !key.split('/').includes('');
}

/**
 * Where a registry keeps its objects: a flat space of keys, as in an object store.
 *
 * Whatever has returned is durable, and readers see an object whole or not at all. What a call says of an absent key
 * is `undefined`, never an error. Keys that no storage holds (see `isStorable`) are `invalid-argument` when written and
 * absent when read; any other can be, whatever its names are, and also one that another begins with.
 *
 * In a bucket: `size` and `head` are HEAD; `get` is HEAD and then GET with `Range` and `If-Match`; `put` is PUT, with
 * `If-None-Match: *` for `ifAbsent`; `list` is ListObjectsV2 page by page, with `/` for a delimiter unless it is
 * recursive; `stage` is PUT to a key of its own and `publish` a copy from there. An address for content that leads to
 * the bucket itself, presigned with its `Content-MD5`, belongs where `content-routes` signs one of ours.
 */
export interface Storage {
  /** The size alone: cheaper than `head` where a storage has to look elsewhere for the rest. */
  size(key: string): Promise<number | undefined>;
  head(key: string): Promise<ObjectInfo | undefined>;
  /** Gives the object as it is at one moment, also when it is replaced while it is read. */
  get(key: string, range?: (info: ObjectInfo) => ByteRange | undefined): Promise<StoredObject | undefined>;
  /**
   * Gives the content of an object of at most `limit` bytes as a whole; of a larger one, that it is `large`. Where it is left
   * out, `get` is asked: it is for storages that have less to do when nothing else is wanted to be known of an object.
   */
  readSmall?(key: string, limit: number): Promise<Buffer | 'large' | undefined>;
  /** Takes a stream, or all that it would give, and checks it; throws `wrong-content` and keeps nothing if it is not what it must be. */
  stage(body: Readable | Uint8Array, expected: Expected, what: string, options?: StageOptions): Promise<Staged>;
  /** Puts a small object whole; false where `ifAbsent` found the key taken. */
  put(key: string, content: string, options?: PutOptions): Promise<boolean>;
  delete(key: string): Promise<void>;
  /** Gives the keys that begin with a prefix, any string, in the order of their UTF-8 bytes. */
  list(prefix: string, options?: ListOptions): AsyncIterable<string>;
}
