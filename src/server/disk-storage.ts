import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { verifyStream } from '../verify-stream.ts';
import { keyToPath } from './disk-keys.ts';
import { listDisk } from './disk-list.ts';
import { createSidecars, type Facts, type Stats } from './disk-sidecars.ts';
import { makeFolder, removeEmptyFolders, syncFolder, writeNew } from './durable.ts';
import { createMutex } from './mutex.ts';
import type { ByteRange, ObjectInfo, Storage } from './storage.ts';

/** Units: bytes */
const READ_AHEAD = 256 * 1024;

/** How often a write looks again for a folder that a deletion beside it took away as empty. */
const ATTEMPTS = 10;

export interface DiskStorageOptions {
  /** Changes nothing in the folder, so that another process may use it meanwhile; writing fails. @default false */
  readOnly?: boolean;
}

/**
 * A storage in a folder, which one process at a time may use.
 *
 * Shape:  <folder>/objects/<key>     the objects under their keys (see `keyToPath`), and nothing else
 *         <folder>/meta/<key>        what is known beside an object: its MD5, content type, metadata
 *         <folder>/incoming/<uuid>   what has not arrived yet; whatever is there at the start is nobody's
 */
export async function diskStorage(folder: string, { readOnly = false }: DiskStorageOptions = {}): Promise<Storage> {
  const objects = join(folder, 'objects');
  const incoming = join(folder, 'incoming');
  const sidecars = createSidecars(join(folder, 'meta'), readOnly ? undefined : incoming);
  const writes = createMutex();

  if (!readOnly) {
    await rm(incoming, { recursive: true, force: true });
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    await makeFolder(objects);
  }

  function checkWritable(): void {
    if (readOnly) throw new Error('A storage that was opened for reading is written to.');
  }

  /** Moves a complete file to its key: facts first, so that an object never stands with those of its predecessor. */
  async function install(from: string, key: string, path: string, facts: Facts): Promise<void> {
    const target = join(objects, path);
    for (let attempt = 1; ; attempt++) {
      try {
        await makeFolder(dirname(target));
        await sidecars.write(path, facts);
        await rename(from, target);
        await syncFolder(dirname(target));
        return;
      } catch (error) {
        if (isSystemError(error, 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY')) throw overlaps(key, error);
        if (attempt === ATTEMPTS || !isSystemError(error, 'ENOENT')) throw error;
      }
    }
  }

  async function describe(key: string, path: string, handle: FileHandle): Promise<ObjectInfo | undefined> {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return undefined;
    const { md5, contentType, metadata } = await sidecars.read(path, stats, handle);
    return {
      key,
      size: Number(stats.size),
      modified: stats.mtime,
      md5,
      ...(contentType === undefined ? {} : { contentType }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  async function sizeOf(path: string): Promise<number | undefined> {
    const stats = await unlessAbsent(stat(join(objects, path)));
    return stats?.isFile() ? stats.size : undefined;
  }

  async function openObject(path: string | undefined): Promise<FileHandle | undefined> {
    return path === undefined ? undefined : unlessAbsent(open(join(objects, path), 'r'));
  }

  return {
    async size(key) {
      const path = keyToPath(key);
      return path === undefined ? undefined : sizeOf(path);
    },

    async head(key) {
      const path = keyToPath(key);
      const handle = await openObject(path);
      if (path === undefined || handle === undefined) return undefined;
      try {
        return await describe(key, path, handle);
      } finally {
        await handle.close();
      }
    },

    async get(key, range) {
      const path = keyToPath(key);
      const handle = await openObject(path);
      if (path === undefined || handle === undefined) return undefined;
      try {
        const info = await describe(key, path, handle);
        if (info !== undefined) return { ...info, body: await readBody(handle, info.size, range?.(info)) };
      } catch (error) {
        await handle.close();
        throw error;
      }
      await handle.close();
      return undefined;
    },

    async stage(body, expected, what, { contentType, signal } = {}) {
      checkWritable();
      const file = join(incoming, randomUUID());
      const discard = () => rm(file, { force: true });
      try {
        const target = createWriteStream(file, { flags: 'wx', mode: 0o644, flush: true });
        await pipeline(body, verifyStream(expected, what), target, { signal });
      } catch (error) {
        await discard();
        throw error;
      }
      return {
        discard,
        async publish(key) {
          const path = requirePath(key);
          const facts = { ...fingerprint(await stat(file, { bigint: true })), md5: expected.digest.hex };
          await writes.run(path, () =>
            install(file, key, path, contentType === undefined ? facts : { ...facts, contentType }),
          );
        },
      };
    },

    async put(key, content, { metadata, ifAbsent = false } = {}) {
      checkWritable();
      const path = requirePath(key);
      return writes.run(path, async () => {
        if (ifAbsent && (await sizeOf(path)) !== undefined) return false;
        const file = join(incoming, randomUUID());
        try {
          await writeNew(file, content);
          const facts = { ...fingerprint(await stat(file, { bigint: true })), md5: sidecars.md5(content) };
          await install(file, key, path, metadata === undefined ? facts : { ...facts, metadata });
        } finally {
          await rm(file, { force: true });
        }
        return true;
      });
    },

    async delete(key) {
      checkWritable();
      const path = keyToPath(key);
      if (path === undefined) return;
      const target = join(objects, path);
      await writes.run(path, async () => {
        await unlessAbsent(unlink(target));
        await unlessAbsent(syncFolder(dirname(target)));
        await sidecars.delete(path);
      });
      await removeEmptyFolders(dirname(target), objects);
    },

    list: (prefix, options) => listDisk(objects, prefix, options),
  };
}

async function readBody(handle: FileHandle, size: number, range: ByteRange = { start: 0, end: size - 1 }) {
  if (range.end < range.start) {
    await handle.close();
    return Readable.from([]);
  }
  return handle.createReadStream({ ...range, highWaterMark: READ_AHEAD });
}

function fingerprint({ size, mtimeNs }: Stats): { size: number; mtime: string } {
  return { size: Number(size), mtime: String(mtimeNs) };
}

async function unlessAbsent<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function requirePath(key: string): string {
  const path = keyToPath(key);
  if (path !== undefined) return path;
  throw new GypsumError('invalid-argument', `The key "${showText(key)}" cannot be stored.`, { details: { key } });
}

function overlaps(key: string, cause: unknown): GypsumError {
  return new GypsumError('invalid-argument', `The key "${showText(key)}" lies above or below another object.`, {
    details: { key },
    cause,
  });
}
