import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { GypsumError } from '../../src/errors.ts';
import { keyToPath } from '../../src/server/disk-keys.ts';
import type { Metadata, ObjectInfo, Storage } from '../../src/server/index.ts';
import { verifyStream } from '../../src/verify-stream.ts';

interface Kept {
  readonly content: Buffer;
  readonly modified: Date;
  readonly contentType?: string;
  readonly metadata?: Metadata;
}

export interface MemoryStorage extends Storage {
  /** Another one that holds the same, and goes its own way. */
  copy(): MemoryStorage;
  /** All objects by key, as text. */
  snapshot(): Map<string, string>;
}

/** A storage for tests that need many of them; what is said of `Storage` holds for it, but that it lasts. */
export function memoryStorage(objects: Map<string, Kept> = new Map()): MemoryStorage {
  const describe = (key: string, { content, modified, contentType, metadata }: Kept): ObjectInfo => ({
    key,
    size: content.length,
    modified,
    md5: createHash('md5').update(content).digest('hex'),
    ...(contentType === undefined ? {} : { contentType }),
    ...(metadata === undefined ? {} : { metadata }),
  });
  const keep = (key: string, kept: Kept) => {
    if (keyToPath(key) === undefined) throw new GypsumError('invalid-argument', 'The key cannot be stored.');
    objects.set(key, kept);
  };

  return {
    size: async (key) => objects.get(key)?.content.length,

    async head(key) {
      const kept = objects.get(key);
      return kept && describe(key, kept);
    },

    async get(key, range) {
      const kept = objects.get(key);
      if (kept === undefined) return undefined;
      const info = describe(key, kept);
      const { start, end } = range?.(info) ?? { start: 0, end: info.size - 1 };
      return { ...info, body: Readable.from(end < start ? [] : [kept.content.subarray(start, end + 1)]) };
    },

    async stage(body, expected, what, { contentType } = {}) {
      let content: Buffer | undefined = await pipeline(body, verifyStream(expected, what), buffer);
      return {
        async publish(key) {
          if (content === undefined) throw new Error('It has been discarded.');
          keep(key, { content, modified: new Date(), ...(contentType === undefined ? {} : { contentType }) });
        },
        async discard() {
          content = undefined;
        },
      };
    },

    async put(key, content, { metadata, ifAbsent = false } = {}) {
      if (ifAbsent && objects.has(key)) return false;
      keep(key, {
        content: Buffer.from(content),
        modified: new Date(),
        ...(metadata === undefined ? {} : { metadata }),
      });
      return true;
    },

    async delete(key) {
      objects.delete(key);
    },

    async *list(prefix, { recursive = false } = {}) {
      const found = [...objects.keys()].filter((key) => key.startsWith(prefix));
      const shown = recursive
        ? found
        : found.map((key) => {
            const slash = key.indexOf('/', prefix.length);
            return slash === -1 ? key : key.slice(0, slash + 1);
          });
      yield* [...new Set(shown)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    },

    copy: () => memoryStorage(new Map(objects)),
    snapshot: () => new Map([...objects].map(([key, { content }]) => [key, content.toString()])),
  };
}
