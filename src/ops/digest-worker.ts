import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { Digested } from './digest-file.ts';

/** The main program of a worker thread that digests the files whose names it is sent. */

/** What a worker says: that it runs, how far it has come, and what came of it. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'bytes'; readonly bytes: number }
  | { readonly type: 'done'; readonly digested: Digested }
  /** Whoever asked tries it for himself, and learns why. */
  | { readonly type: 'failed' };

/** Units: bytes */
const CHUNK = 1024 * 1024;

const chunk = Buffer.allocUnsafe(CHUNK);
const say = (message: FromWorker) => parentPort?.postMessage(message);

function digest(path: string | Uint8Array): FromWorker {
  let file: number | undefined;
  try {
    file = openSync(typeof path === 'string' ? path : Buffer.from(path), 'r');
    const hash = createHash('md5');
    let size = 0;
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      size += length;
      hash.update(chunk.subarray(0, length));
      say({ type: 'bytes', bytes: length });
    }
    return { type: 'done', digested: { md5sum: hash.digest('hex'), size } };
  } catch {
    return { type: 'failed' };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

parentPort?.on('message', (path: string | Uint8Array) => say(digest(path)));
say({ type: 'ready' });
