import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { Pace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { isRefusal } from './put-file.ts';
import { replicaTime, setReplicaFacts } from './replica-facts.ts';
import type { ContentAlgorithm, File } from './repository.ts';
import { syncFile } from './sync-file.ts';

export interface CopyContentOptions {
  readonly mode: number | undefined;
  readonly mtime: number;
  /** Have the bytes on the disk. */
  readonly durable: boolean;
  /** What is to be found out of the content, if anything is. */
  readonly algorithm: ContentAlgorithm | undefined;
  readonly pace: Pace;
}

/**
 * Shares the bytes of an open file with a new one, until one of them is written to; says whether that is possible there. It has
 * its mode and time before anybody else can read it by its name.
 */
export function cloneContent({ place }: File, fresh: string, { durable, mode, mtime }: CopyContentOptions): boolean {
  if (place === undefined) return false;
  try {
    copyFileSync(fsPath(place), fsPath(fresh), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
  } catch (error) {
    if (isRefusal('reflink', error)) return false;
    throw error;
  }
  if (durable) {
    // Its own mode may forbid to open it.
    setReplicaFacts(fresh, 'file', { mode: 0o600 });
    syncFile(fresh);
  }
  setReplicaFacts(fresh, 'file', { mode, mtime });
  return true;
}

/** Copies an open file to a new place, or goes on with what an earlier run has left there; gives its digest if that is asked for. */
export async function copyContent(
  file: File,
  fresh: string,
  { mode, mtime, durable, algorithm, pace }: CopyContentOptions,
  isBegun: boolean,
): Promise<string | undefined> {
  const to = openSync(fsPath(fresh), isBegun ? constants.O_RDWR | constants.O_NOFOLLOW : 'wx', 0o600);
  try {
    const hash = algorithm && createHash(algorithm);
    let at = isBegun ? await keepEqual(file, to, hash, pace) : 0;
    for await (const bytes of file.chunks(at)) {
      hash?.update(bytes);
      for (let from = 0; from < bytes.length; ) from += writeSync(to, bytes, from, bytes.length - from, at + from);
      at += bytes.length;
      if (pace.due()) await pace.rest();
    }
    if (durable) fsyncSync(to);
    if (mode !== undefined && process.platform !== 'win32') fchmodSync(to, mode);
    futimesSync(to, replicaTime(mtime), replicaTime(mtime));
    return hash?.digest('hex');
  } finally {
    closeSync(to);
  }
}

/** Cuts off what is there at the first difference; gives how many bytes are left. */
async function keepEqual(file: File, to: number, hash: Hash | undefined, pace: Pace): Promise<number> {
  let at = 0;
  let there = Buffer.alloc(0);
  for await (const bytes of file.chunks()) {
    if (there.length < bytes.length) there = Buffer.allocUnsafe(bytes.length);
    const length = readSync(to, there, 0, bytes.length, at);
    if (length < bytes.length || !there.subarray(0, length).equals(bytes)) break;
    hash?.update(bytes);
    at += length;
    if (pace.due()) await pace.rest();
  }
  ftruncateSync(to, at);
  return at;
}

/** Reads an open file and gives its digest; BLAKE2b names it in logs alone. */
export async function digestContent(
  file: File,
  algorithm: ContentAlgorithm | 'blake2b512',
  pace: Pace,
): Promise<string> {
  const hash = createHash(algorithm);
  for await (const bytes of file.chunks()) {
    hash.update(bytes);
    if (pace.due()) await pace.rest();
  }
  return hash.digest('hex');
}
