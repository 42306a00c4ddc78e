import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { verifyStream, verifyWhole } from '../verify-stream.ts';
import { asidePath, keyToPath, type Naming } from './disk-keys.ts';
import { listDisk } from './disk-list.ts';
import { readNaming } from './disk-naming.ts';
import { createSidecars, type Facts, type Stats } from './disk-sidecars.ts';
import { makeFolder, removeEmptyFolders, syncFolder, writeNew } from './durable.ts';
import { createMutex } from './mutex.ts';
import { checkObjects, lastingFolder } from './objects-folder.ts';
import { readSmall } from './read-small.ts';
import type { ByteRange, ObjectInfo, Storage } from './storage.ts';
import { unlessAbsent } from './unless-absent.ts';

/** Units: bytes */
const READ_AHEAD = 256 * 1024;

/** How often a write looks again for a folder that a deletion beside it took away as empty. */
const ATTEMPTS = 10;

export interface DiskStorageOptions {
  /** Changes nothing in the folder, so that another process may use it meanwhile; writing fails. @default false */
  readOnly?: boolean;
  /** How names are written. @default as the folder says, or else as its file system needs */
  naming?: Naming;
}

/** The open file of an object. */
interface Found {
  /** Where it is, or would be if it did not stand aside. */
  readonly own: string;
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * A storage in a folder, which one process at a time may use. Where its objects have been taken away, nothing is absent:
 * every call is `unavailable`.
 *
 * Shape:  <folder>/objects/<key>     the objects under their keys (see `keyToPath`), and nothing else
 *         <folder>/objects/..logs/   is there also without an object in it (see `lastingFolder`)
 *         <folder>/meta/<key>        what is known beside an object: its MD5, content type, metadata
 *         <folder>/naming            how names are written, where that is not as they are
 *         <folder>/incoming/<uuid>   what has not arrived yet; whatever is there at the start is nobody's
 */
export async function diskStorage(
  folder: string,
  { readOnly = false, ...options }: DiskStorageOptions = {},
): Promise<Storage> {
  const objects = join(folder, 'objects');
  const incoming = join(folder, 'incoming');
  const sidecars = createSidecars(join(folder, 'meta'), readOnly ? undefined : incoming);
  const writes = createMutex();

  if (!readOnly) {
    await rm(incoming, { recursive: true, force: true });
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    await makeFolder(objects);
  }

  const naming = options.naming ?? (await readNaming(folder, { readOnly }));
  const lasting = lastingFolder(objects);
  if (!readOnly) await makeFolder(lasting);

  function checkWritable(): void {
    if (readOnly) throw new Error('A storage that was opened for reading is written to.');
  }

  /** Moves a complete file to its key: facts first, so that an object never stands with those of its predecessor. */
  async function install(from: string, path: string, facts: Facts): Promise<void> {
    await checkObjects(folder);
    for (let attempt = 1; ; attempt++) {
      try {
        // Whoever stood aside once stays there, so that there is one of it.
        const own = (await isFile(asidePath(path))) ? asidePath(path) : path;
        await makeFolder(dirname(join(objects, own)));
        await place(from, own, facts);
        return;
      } catch (error) {
        if (attempt === ATTEMPTS) throw error;
        if (isSystemError(error, 'EISDIR', 'ENOTEMPTY') && (await isFolder(path))) {
          await place(from, asidePath(path), facts);
          return;
        }
        if (isSystemError(error, 'ENOTDIR', 'EEXIST')) await standAside(path);
        else if (!isSystemError(error, 'ENOENT', 'EISDIR', 'ENOTEMPTY')) throw error;
      }
    }
  }

  async function place(from: string, path: string, facts: Facts): Promise<void> {
    const target = join(objects, path);
    await sidecars.write(path, facts);
    await rename(from, target);
    await syncFolder(dirname(target));
  }

  /**
   * Makes room for folders where objects have their files: `p/a` goes to `p/a%=` when `p/a/v` comes. At each moment one
   * of the two is there, and what is known beside it too.
   */
  async function standAside(path: string): Promise<void> {
    const parts = path.split(sep);
    for (let length = 1; length < parts.length; length++) {
      const above = parts.slice(0, length).join(sep);
      if (!(await isFile(above))) continue;
      await sidecars.copy(above, asidePath(above));
      await unlessAbsent(rename(join(objects, above), join(objects, asidePath(above))));
      await syncFolder(dirname(join(objects, above)));
      await sidecars.delete(above);
    }
  }

  async function isFile(path: string): Promise<boolean> {
    return (await unlessAbsent(stat(join(objects, path))))?.isFile() === true;
  }

  async function isFolder(path: string): Promise<boolean> {
    return (await unlessAbsent(stat(join(objects, path))))?.isDirectory() === true;
  }

  async function describe(key: string, { own, path, handle }: Found): Promise<ObjectInfo> {
    const stats = await handle.stat({ bigint: true });
    const { md5, contentType, metadata } = await sidecars.read(path, stats, handle, (work) =>
      writes.run(own, async () => {
        const now = await unlessAbsent(stat(join(objects, path), { bigint: true }));
        if (now?.ino === stats.ino && now.mtimeNs === stats.mtimeNs && now.size === stats.size) await work();
      }),
    );
    return {
      key,
      size: Number(stats.size),
      modified: stats.mtime,
      md5,
      ...(contentType === undefined ? {} : { contentType }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }

  /** Gives the file of an object: the second look is for one that stands aside, or has just gone there. */
  async function find(key: string): Promise<Found | undefined> {
    const own = keyToPath(key, naming);
    if (own === undefined) return undefined;
    for (const path of [own, asidePath(own)]) {
      const handle = await unlessAbsent(open(join(objects, path), 'r'));
      if (handle === undefined) continue;
      if ((await handle.stat()).isFile()) return { own, path, handle };
      await handle.close();
    }
    await checkObjects(folder);
    return undefined;
  }

  async function sizeOf(own: string): Promise<number | undefined> {
    for (const path of [own, asidePath(own)]) {
      const stats = await unlessAbsent(stat(join(objects, path)));
      if (stats?.isFile()) return stats.size;
    }
    await checkObjects(folder);
    return undefined;
  }

  return {
    async size(key) {
      const path = keyToPath(key, naming);
      return path === undefined ? undefined : sizeOf(path);
    },

    async head(key) {
      const found = await find(key);
      if (found === undefined) return undefined;
      try {
        return await describe(key, found);
      } finally {
        await found.handle.close();
      }
    },

    async get(key, range) {
      const found = await find(key);
      if (found === undefined) return undefined;
      const { handle } = found;
      try {
        const info = await describe(key, found);
        return { ...info, body: await readBody(handle, info.size, range?.(info)) };
      } catch (error) {
        await handle.close();
        throw error;
      }
    },

    async readSmall(key, limit) {
      const own = keyToPath(key, naming);
      if (own === undefined) return undefined;
      for (const path of [own, asidePath(own)]) {
        const content = await unlessAbsent(readSmall(join(objects, path), limit));
        if (content !== undefined) return content;
      }
      await checkObjects(folder);
      return undefined;
    },

    async stage(body, expected, what, { contentType, signal } = {}) {
      checkWritable();
      const file = join(incoming, randomUUID());
      let isThere = true;
      const discard = async () => {
        if (isThere) await rm(file, { force: true });
      };
      try {
        if (body instanceof Uint8Array) await writeNew(file, verifyWhole(body, expected, what));
        else {
          const target = createWriteStream(file, { flags: 'wx', mode: 0o644, flush: true });
          await pipeline(body, verifyStream(expected, what), target, { signal });
        }
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
            install(file, path, contentType === undefined ? facts : { ...facts, contentType }),
          );
          isThere = false;
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
          await install(file, path, metadata === undefined ? facts : { ...facts, metadata });
        } finally {
          await rm(file, { force: true });
        }
        return true;
      });
    },

    async delete(key) {
      checkWritable();
      const own = keyToPath(key, naming);
      if (own === undefined) return;
      await checkObjects(folder);
      await writes.run(own, async () => {
        for (const path of [own, asidePath(own)]) {
          if (!(await isFile(path))) continue;
          const target = join(objects, path);
          await unlessAbsent(unlink(target));
          await unlessAbsent(syncFolder(dirname(target)));
          await sidecars.delete(path);
        }
      });
      await removeEmptyFolders(dirname(join(objects, own)), objects, lasting);
    },

    async *list(prefix, { recursive = false } = {}) {
      await checkObjects(folder);
      yield* listDisk(objects, prefix, { recursive, naming });
    },
  };

  function requirePath(key: string): string {
    const path = keyToPath(key, naming);
    if (path !== undefined) return path;
    throw new GypsumError('invalid-argument', `The key "${showText(key)}" cannot be stored.`, { details: { key } });
  }
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
