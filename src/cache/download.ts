import { once } from 'node:events';
import { constants, createReadStream, createWriteStream, type Stats } from 'node:fs';
import { chmod, copyFile, lstat, rename } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isGypsumError, isSystemError } from '../errors.ts';
import { isOwnerAlive, ownedName } from '../owned-name.ts';
import {
  checkDigest,
  createCounter,
  createVerifier,
  type Expected,
  streamThrough,
  type Verifier,
} from '../verify-stream.ts';
import { moveInto, READ_ONLY, removeIfThere } from './atomic.ts';
import { statIfThere, type WriteOptions } from './blobs.ts';
import type { Behind, DigestThreads } from './digest-behind.ts';
import { makeCacheFolder, partialMode } from './folders.ts';
import { downloadId } from './incoming-name.ts';
import type { Layout } from './layout.ts';
import { namesIn } from './names-in.ts';

/**
 * A content on its way into its blob. What came before it broke off need not come again, in this process or in a later one:
 * that it fits together is seen at the end, by the digest of the whole.
 *
 * Each process writes to a file of its own. What others have left is taken only where nobody can write to it any more, and
 * copied else.
 */
export interface Download {
  /** How much is there. Units: bytes */
  present(): number;
  /** Reads what is there, so that it can be gone on with, and says how much that is. Units: bytes */
  recall(signal?: AbortSignal): Promise<number>;
  /**
   * Takes what comes behind byte `start`, which is 0 or what was recalled, and publishes the blob if the whole is right;
   * else throws `wrong-content`, and nothing is kept but a good beginning.
   */
  receive(source: Readable, start: number, options?: WriteOptions): Promise<Stats>;
  discard(): Promise<void>;
  /** To be called at the end: what is there is left to whoever wants to go on. */
  close(): Promise<void>;
}

/** Units: bytes. What is shorter is no download: it is asked for again as a whole before anybody has looked what is left of it. */
export const WORTH_KEEPING = 64 * 1024;

/** Units: milliseconds. What nobody has written to for so long, somebody may have left. */
const IDLE = 60_000;

export async function openDownload(
  layout: Layout,
  project: string,
  expected: Expected,
  what: string,
  threads?: DigestThreads,
): Promise<Download> {
  const id = downloadId(project, expected);
  const mine = layout.incoming(`${ownedName()}.${id}`);
  const blob = layout.blob(project, expected.digest);
  let recalled: { verifier: Verifier | undefined; bytes: number } | undefined;
  makeCacheFolder(layout, layout.incomings);
  await takeUp(layout, id, mine);

  const present = () => statIfThere(mine)?.size ?? 0;
  const discard = () => removeIfThere(mine);

  /** Gives a verifier that has seen what is there. */
  const readBeginning = async (signal?: AbortSignal) => {
    const verifier = createVerifier(expected, what);
    let bytes = 0;
    for await (const chunk of createReadStream(mine, signal === undefined ? {} : { signal })) {
      verifier.update(chunk);
      bytes += chunk.length;
    }
    return { verifier, bytes };
  };

  /** Throws `wrong-content` unless what another thread has read is right. */
  const verifyBehind = async (behind: Behind) => {
    const hex = await behind.end(expected.size);
    if (hex === undefined) (await readBeginning()).verifier.end();
    else checkDigest(expected, hex, what);
  };

  return {
    present,
    discard,

    async recall(signal) {
      recalled = undefined;
      if (present() === 0) return 0;
      // Another thread reads it, with what comes.
      recalled = threads === undefined ? await readBeginning(signal) : { verifier: undefined, bytes: present() };
      return recalled.bytes;
    },

    async receive(source, start, { signal, onBytes } = {}) {
      if (start > 0 && start !== recalled?.bytes) throw new Error(`a download cannot go on at ${start}`);
      const before = start === 0 ? createVerifier(expected, what) : recalled?.verifier;
      recalled = undefined;
      const target = createWriteStream(mine, start === 0 ? { flags: 'w', mode: 0o600 } : { flags: 'r+', start });
      let behind: Behind | undefined;
      try {
        if (threads !== undefined) await once(target, 'open', signal === undefined ? {} : { signal });
        behind = await threads?.follow(mine, expected.digest.algorithm);
        const verifier =
          behind === undefined
            ? (before ?? (await readBeginning(signal)).verifier)
            : createCounter(expected, what, start);
        const count = (bytes: number) => {
          onBytes?.(bytes);
          behind?.written(start + target.bytesWritten);
        };
        await pipeline(source, streamThrough(verifier, count), target, signal === undefined ? {} : { signal });
        if (behind !== undefined) await verifyBehind(behind);
      } catch (error) {
        behind?.stop();
        target.destroy();
        // Nothing may be written any more when somebody goes on.
        if (!target.closed) await new Promise<void>((resolve) => target.once('close', resolve));
        if (isGypsumError(error, 'wrong-content') && error.details.missing === undefined) await discard();
        throw error;
      }
      await chmod(mine, READ_ONLY);
      const stats = await lstat(mine);
      moveInto(layout, mine, blob);
      return stats;
    },

    async close() {
      if (present() === 0) return discard();
      await chmod(mine, partialMode(layout));
      await renameIfThere(mine, layout.partial(id));
    },
  };
}

/** Takes what others have of a content, and can no longer go on with, to a path that is nobody else's. */
async function takeUp(layout: Layout, id: string, mine: string): Promise<void> {
  const released = layout.partial(id);
  if (isOwnAlone(statIfThere(released)) && (await renameIfThere(released, mine))) {
    await chmod(mine, 0o600);
    return;
  }
  for (const name of await namesIn(layout.incomings)) {
    if (!name.endsWith(`.${id}`)) continue;
    const path = layout.incoming(name);
    const stats = statIfThere(path);
    if (!stats?.isFile() || stats.size === 0) continue;
    const isLeft = path === released || isOwnerAlive(name) === false;
    if (!isLeft && (isOwnerAlive(name) === true || Date.now() - stats.mtimeMs < IDLE)) continue;
    if (!(await copyIfPossible(path, mine))) continue;
    if (isLeft) await removeIfThere(path);
    return;
  }
}

/** Whoever released it has closed it before. Another user's, or one with another name, may be written to at any time. */
function isOwnAlone(stats: Stats | undefined): boolean {
  return (
    stats?.isFile() === true && stats.nlink === 1 && (process.getuid === undefined || stats.uid === process.getuid())
  );
}

/** A copy may catch a file that is still written to: what came of it is verified, and nobody else can write to it. */
async function copyIfPossible(path: string, target: string): Promise<boolean> {
  try {
    await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(target, 0o600);
    return true;
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT')) throw error;
    await removeIfThere(target);
    return false;
  }
}

async function renameIfThere(path: string, target: string): Promise<boolean> {
  try {
    await rename(path, target);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
