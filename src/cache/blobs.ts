import { createReadStream, createWriteStream, lstatSync, type Stats } from 'node:fs';
import { chmod, lstat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isGypsumError, isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { createVerifier, type Expected, verifyStream } from '../verify-stream.ts';
import { publish, READ_AND_EXECUTE, READ_ONLY } from './atomic.ts';
import type { Layout } from './layout.ts';
import { writeAtOnce } from './write-at-once.ts';

export interface WriteOptions {
  signal?: AbortSignal | undefined;
  /** Hears of bytes as they come. Units: bytes */
  onBytes?: (bytes: number) => void;
  /** Write the blob that can be executed. @default false */
  executable?: boolean;
}

/** Writes content to a blob: it gets its name only when it has been verified; else throws `wrong-content`. */
export async function writeBlob(
  layout: Layout,
  project: string,
  expected: Expected,
  what: string,
  source: Readable,
  { signal, onBytes, executable = false }: WriteOptions = {},
): Promise<Stats> {
  const target = (executable ? layout.executable : layout.blob)(project, expected.digest);
  return publishBlob(layout, target, async (incoming) => {
    const file = createWriteStream(incoming, { flags: 'wx', mode: 0o600 });
    try {
      await pipeline(source, verifyStream(expected, what, onBytes), file, signal === undefined ? {} : { signal });
    } catch (error) {
      // A pipeline that breaks off early may end while the file is only being made: nobody would remove it afterwards.
      if (!file.closed) await new Promise<void>((resolve) => file.once('close', () => resolve()));
      throw error;
    }
    await chmod(incoming, executable ? READ_AND_EXECUTE : READ_ONLY);
    return lstat(incoming);
  });
}

/** Writes a small content, which is at hand, to its blob as `writeBlob` does. */
export async function writeWhole(
  layout: Layout,
  project: string,
  expected: Expected,
  what: string,
  content: Uint8Array,
): Promise<Stats> {
  const verifier = createVerifier(expected, what);
  verifier.update(content);
  verifier.end();
  return writeVerified(layout, project, expected, content);
}

/** The same with one that has been verified. */
export async function writeVerified(
  layout: Layout,
  project: string,
  { digest }: Expected,
  content: Uint8Array,
): Promise<Stats> {
  return publishBlob(layout, layout.blob(project, digest), async (incoming) => writeAtOnce(incoming, content));
}

/** Publishes what `write` makes with its final mode, and gives the stats that it gives. */
async function publishBlob(
  layout: Layout,
  target: string,
  write: (incoming: string) => Promise<Stats>,
): Promise<Stats> {
  let stats: Stats | undefined;
  await publish(layout, target, async (incoming) => {
    stats = await write(incoming);
  });
  if (stats === undefined) throw new Error('a published file has no stats');
  return stats;
}

/** Reads a file and says whether its content is the expected one. */
export async function hasContent(path: string, expected: Expected, signal?: AbortSignal): Promise<boolean> {
  const verifier = createVerifier(expected, path);
  try {
    for await (const chunk of createReadStream(fsPath(path), signal === undefined ? {} : { signal }))
      verifier.update(chunk);
    verifier.end();
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (isGypsumError(error, 'wrong-content')) return false;
    throw error;
  }
}

/** Gives a file's stats without following a link; nothing if it is not there. */
export function statIfThere(path: string): Stats | undefined {
  try {
    return lstatSync(fsPath(path), { throwIfNoEntry: false });
  } catch (error) {
    // A file stands where a folder should be: what is below it is not there.
    if (isSystemError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Whether a file of the cache is one that can be executed. */
export function isExecutable({ mode }: Stats): boolean {
  return (mode & EXECUTE) === EXECUTE;
}

const EXECUTE = 0o111;
