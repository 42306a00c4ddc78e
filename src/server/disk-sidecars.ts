import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { z } from 'zod';
import { isSystemError } from '../errors.ts';
import { makeFolder, removeEmptyFolders, syncFolder, writeNew } from './durable.ts';

export interface Stats {
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

const factsSchema = z.object({
  size: z.number(),
  mtime: z.string(),
  md5: z.string(),
  contentType: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

/** What is known beside an object. It holds for a file with this size and time of change, or else with this MD5. */
export type Facts = Readonly<z.infer<typeof factsSchema>>;

/** What is known beside the objects, in files under the same paths as theirs. */
export interface Sidecars {
  /**
   * Gives what is known of the object that is open; where nothing is, its MD5 is computed and remembered.
   *
   * `remember` does some work while nobody writes to the object, or leaves it where another one has taken its place:
   * what is kept there is that one's.
   */
  read(
    path: string,
    stats: Stats,
    object: FileHandle,
    remember: (work: () => Promise<void>) => Promise<void>,
  ): Promise<Facts>;
  write(path: string, facts: Facts): Promise<void>;
  /** Has the same known beside another path too, if anything is. */
  copy(from: string, to: string): Promise<void>;
  delete(path: string): Promise<void>;
  md5(content: string): string;
}

/** Without a folder for what is not complete yet, nothing is remembered. */
export function createSidecars(root: string, incoming: string | undefined): Sidecars {
  async function write(path: string, facts: Facts): Promise<void> {
    try {
      await attempt(path, facts);
    } catch (error) {
      if (!isSystemError(error, 'ENOTDIR', 'EEXIST')) throw error;
      // What is in the way was known of an object that has gone aside, and is written down there.
      await removeFilesAbove(path);
      await attempt(path, facts);
    }
  }

  async function removeFilesAbove(path: string): Promise<void> {
    const parts = path.split(sep);
    for (let length = 1; length < parts.length; length++) {
      const above = join(root, ...parts.slice(0, length));
      const stats = await stat(above).catch(() => undefined);
      if (stats?.isFile()) await rm(above, { force: true });
    }
  }

  async function attempt(path: string, facts: Facts): Promise<void> {
    if (incoming === undefined) return;
    const file = join(incoming, randomUUID());
    const target = join(root, path);
    // An MD5 can be computed again: what cannot must survive a power cut.
    const precious = facts.contentType !== undefined || facts.metadata !== undefined;
    const folder = dirname(target);
    try {
      await (precious ? writeNew(file, JSON.stringify(facts)) : writeFile(file, JSON.stringify(facts), { flag: 'wx' }));
      await rename(file, target).catch(async (error: unknown) => {
        // Most folders are there.
        if (!isSystemError(error, 'ENOENT')) throw error;
        await (precious ? makeFolder(folder) : mkdir(folder, { recursive: true }));
        await rename(file, target);
      });
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    if (precious) await syncFolder(folder);
  }

  return {
    write,

    async read(path, stats, object, remember) {
      const mtime = String(stats.mtimeNs);
      const holds = (known: Facts | undefined) => known?.mtime === mtime && BigInt(known.size) === stats.size;
      const known = await readFacts(join(root, path));
      if (known !== undefined && holds(known)) return known;
      const md5 = await hash(object);
      let facts: Facts = { size: Number(stats.size), mtime, md5 };
      await remember(async () => {
        const now = await readFacts(join(root, path));
        // A copied folder has other times, and still the same content.
        if (now?.md5 === md5) facts = { ...now, ...facts };
        if (!holds(now)) await write(path, facts).catch(ignoreRace);
      });
      return facts;
    },

    async copy(from, to) {
      const facts = await readFacts(join(root, from));
      if (facts !== undefined) await write(to, facts);
    },

    async delete(path) {
      const target = join(root, path);
      // A folder has taken its place: nothing is known there.
      await rm(target, { force: true }).catch((error: unknown) => {
        if (!isSystemError(error, 'EISDIR', 'ENOTDIR', 'ERR_FS_EISDIR')) throw error;
      });
      await removeEmptyFolders(dirname(target), root);
    },

    md5: (content) => createHash('md5').update(content).digest('hex'),
  };
}

async function readFacts(path: string): Promise<Facts | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
  try {
    return factsSchema.parse(JSON.parse(text));
  } catch {
    // A power cut may leave it empty or torn, which says as little as none.
    return undefined;
  }
}

async function hash(object: FileHandle): Promise<string> {
  const md5 = createHash('md5');
  const buffer = Buffer.allocUnsafe(256 * 1024);
  for (let at = 0; ; ) {
    const { bytesRead } = await object.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return md5.digest('hex');
    md5.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** It is only remembering: a reader without the right to write, or beside a deletion, does without. */
function ignoreRace(error: unknown): void {
  if (!isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EISDIR')) throw error;
}
