import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { GypsumError } from '../../src/errors.ts';
import type { ByteRange, Metadata, ObjectInfo, Storage } from '../../src/server/index.ts';
import { isStorable } from '../../src/server/storage.ts';
import { verifyStream } from '../../src/verify-stream.ts';

interface Entry {
  readonly content: Buffer;
  readonly etag: string;
  readonly modified: Date;
  readonly contentType?: string;
  readonly metadata?: Metadata;
}

/** What an S3-compatible object store can do, and no more. */
function createBucket() {
  const entries = new Map<string, Entry>();
  return {
    head: async (key: string) => entries.get(key),
    /** Gives nothing where the object is not the one that `ifMatch` names any more. */
    get: async (key: string, { start, end }: ByteRange, ifMatch: string) => {
      const entry = entries.get(key);
      return entry?.etag === ifMatch ? entry.content.subarray(start, end + 1) : undefined;
    },
    put: async (key: string, content: Buffer, more: Partial<Entry> = {}, ifNoneMatch = false) => {
      if (ifNoneMatch && entries.has(key)) return false;
      const etag = createHash('md5').update(content).digest('hex');
      entries.set(key, { ...more, content, etag, modified: new Date() });
      return true;
    },
    copy: async (from: string, to: string) => {
      const entry = entries.get(from);
      if (entry !== undefined) entries.set(to, { ...entry, modified: new Date() });
    },
    delete: async (key: string) => void entries.delete(key),
    /** One page; `after` is where the one before it ended. */
    async list(prefix: string, delimiter: boolean, after: string, pageSize: number) {
      const found = new Set<string>();
      const sorted = [...entries.keys()].map((key) => Buffer.from(key)).sort(Buffer.compare);
      for (const key of sorted.map(String)) {
        if (!key.startsWith(prefix)) continue;
        const slash = delimiter ? key.indexOf('/', prefix.length) : -1;
        const name = slash === -1 ? key : key.slice(0, slash + 1);
        if (Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0) found.add(name);
        if (found.size === pageSize) break;
      }
      return [...found];
    },
  };
}

/** Where content waits until it is right; listings do not show it. */
const STAGED = '..staged/';

/** A storage on such a bucket: it shows that the interface asks for nothing that one cannot do. */
export function bucketStorage({ pageSize = 3 } = {}): Storage {
  const bucket = createBucket();
  const infoOf = (key: string, { content, etag, modified, contentType, metadata }: Entry): ObjectInfo => ({
    key,
    size: content.length,
    modified,
    md5: etag,
    ...(contentType !== undefined && { contentType }),
    ...(metadata !== undefined && { metadata }),
  });
  const check = (key: string) => {
    if (!isStorable(key)) throw new GypsumError('invalid-argument', 'The key cannot be stored.');
  };
  return {
    size: async (key) => (await bucket.head(key))?.content.length,
    async head(key) {
      const entry = await bucket.head(key);
      return entry && infoOf(key, entry);
    },
    async get(key, range) {
      for (;;) {
        const entry = await bucket.head(key);
        if (entry === undefined) return undefined;
        const info = infoOf(key, entry);
        const content = await bucket.get(key, range?.(info) ?? { start: 0, end: info.size - 1 }, entry.etag);
        if (content !== undefined) return { ...info, body: Readable.from(content.length === 0 ? [] : [content]) };
      }
    },
    async stage(given, expected, what, { contentType } = {}) {
      const body = given instanceof Uint8Array ? Readable.from([given], { objectMode: false }) : given;
      const content = await buffer(body.pipe(verifyStream(expected, what)));
      const staged = STAGED + randomUUID();
      await bucket.put(staged, content, contentType === undefined ? {} : { contentType });
      return {
        async publish(key) {
          check(key);
          await bucket.copy(staged, key);
          await bucket.delete(staged);
        },
        discard: () => bucket.delete(staged),
      };
    },
    async put(key, content, { metadata, ifAbsent = false } = {}) {
      check(key);
      return bucket.put(key, Buffer.from(content), metadata === undefined ? {} : { metadata }, ifAbsent);
    },
    delete: (key) => bucket.delete(key),
    async *list(prefix, { recursive = false } = {}) {
      for (let after = ''; ; ) {
        const page = await bucket.list(prefix, !recursive, after, pageSize);
        yield* page.filter((key) => !key.startsWith(STAGED));
        if (page.length < pageSize) return;
        after = page.at(-1) ?? '';
      }
    },
  };
}
