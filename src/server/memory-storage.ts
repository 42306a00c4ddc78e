import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { verifyStream } from '../verify-stream.ts';
import { isStorable, type Metadata, type ObjectInfo, type Storage } from './storage.ts';

/** An object as it is kept. */
export interface Kept extends ObjectInfo {
  readonly content: Buffer;
}

/** A storage that is gone with its process: for tests, and for registries that are tried out. */
export function memoryStorage(objects: Map<string, Kept> = new Map()): Storage {
  function keep(key: string, content: Buffer, more: { contentType?: string; metadata?: Metadata }): void {
    checkKey(key);
    const md5 = createHash('md5').update(content).digest('hex');
    objects.set(key, { key, size: content.length, modified: new Date(), md5, ...more, content });
  }

  return {
    size: async (key) => objects.get(key)?.size,

    async head(key) {
      const kept = objects.get(key);
      return kept && infoOf(kept);
    },

    async get(key, range) {
      const kept = objects.get(key);
      if (kept === undefined) return undefined;
      const { start, end } = range?.(infoOf(kept)) ?? { start: 0, end: kept.size - 1 };
      const part = kept.content.subarray(start, end + 1);
      return { ...infoOf(kept), body: Readable.from(part.length === 0 ? [] : [part], { objectMode: false }) };
    },

    async stage(given, expected, what, { contentType, signal } = {}) {
      const body = given instanceof Uint8Array ? Readable.from([given], { objectMode: false }) : given;
      const verified = body.pipe(verifyStream(expected, what));
      body.once('error', (error) => verified.destroy(error));
      const stop = () => verified.destroy(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        signal?.throwIfAborted();
        const content = await buffer(verified);
        return {
          publish: async (key) => keep(key, content, contentType === undefined ? {} : { contentType }),
          discard: async () => {},
        };
      } finally {
        signal?.removeEventListener('abort', stop);
        body.destroy();
      }
    },

    async put(key, content, { metadata, ifAbsent = false } = {}) {
      checkKey(key);
      if (ifAbsent && objects.has(key)) return false;
      keep(key, Buffer.from(content), metadata === undefined ? {} : { metadata });
      return true;
    },

    async delete(key) {
      objects.delete(key);
    },

    async *list(prefix, { recursive = false } = {}) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).map((key) => Buffer.from(key));
      let folder: string | undefined;
      for (const bytes of keys.sort(Buffer.compare)) {
        const key = bytes.toString();
        if (folder !== undefined && key.startsWith(folder)) continue;
        const slash = recursive ? -1 : key.indexOf('/', prefix.length);
        folder = slash === -1 ? undefined : key.slice(0, slash + 1);
        // It may have been deleted since the list was made.
        if (folder !== undefined || objects.has(key)) yield folder ?? key;
      }
    },
  };
}

function infoOf({ content: _, ...info }: Kept): ObjectInfo {
  return info;
}

function checkKey(key: string): void {
  if (isStorable(key)) return;
  throw new GypsumError('invalid-argument', `The key "${showText(key)}" cannot be stored.`, { details: { key } });
}
