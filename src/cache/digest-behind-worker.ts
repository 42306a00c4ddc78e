import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** The main program of a worker thread that digests files while they are written. */

/** What it is told of a file: that it is to begin, how much is there, and whether that is all, or that nobody wants to know any more. */
export type ToThread =
  | { readonly id: number; readonly path: string; readonly algorithm: string }
  | { readonly id: number; readonly size: number; readonly isAll?: true }
  | { readonly id: number; readonly isOver: true };

/** What came of a file; nothing where it could not be read. Its first word is `ready`. */
export interface FromThread {
  readonly id: number;
  readonly hex?: string;
}

interface OpenFile {
  readonly file: number;
  readonly hash: Hash;
  read: number;
}

const chunk = Buffer.allocUnsafe(1024 * 1024);
const files = new Map<number, OpenFile>();

function act(message: ToThread): FromThread | undefined {
  const { id } = message;
  if ('path' in message) {
    files.set(id, { file: openSync(message.path, 'r'), hash: createHash(message.algorithm), read: 0 });
    return undefined;
  }
  const open = files.get(id);
  if (open === undefined) return undefined;
  if ('isOver' in message) {
    forget(id);
    return undefined;
  }
  while (open.read < message.size) {
    const length = readSync(open.file, chunk, 0, Math.min(chunk.length, message.size - open.read), open.read);
    if (length === 0) throw new Error('the file is shorter');
    open.hash.update(chunk.subarray(0, length));
    open.read += length;
  }
  if (message.isAll !== true) return undefined;
  forget(id);
  return { id, hex: open.hash.digest('hex') };
}

function forget(id: number): void {
  const open = files.get(id);
  files.delete(id);
  if (open !== undefined) closeSync(open.file);
}

parentPort?.on('message', (message: ToThread) => {
  let answer: FromThread | undefined;
  try {
    answer = act(message);
  } catch {
    // Whoever asked reads it for himself, and learns why.
    forget(message.id);
    answer = { id: message.id };
  }
  if (answer !== undefined) parentPort?.postMessage(answer);
});
parentPort?.postMessage('ready');
