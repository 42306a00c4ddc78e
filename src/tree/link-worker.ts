import { symlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { type LinkList, SHARED } from './link-list.ts';

/** The main program of a worker thread that makes symlinks. */

/** Makes links up to the first that fails, and none after it: whoever asked tries it for himself, and learns why. */
function make({ texts, places }: LinkList, shared: Int32Array): void {
  for (const [at, text] of texts.entries()) {
    if (Atomics.load(shared, SHARED.stop) === 1) return;
    try {
      symlinkSync(pathOf(text), pathOf(places[at] ?? ''), 'file');
    } catch {
      Atomics.store(shared, SHARED.stop, 1);
      return;
    }
    Atomics.add(shared, SHARED.links, 1);
  }
}

function pathOf(path: string | Uint8Array): string | Buffer {
  return typeof path === 'string' ? path : Buffer.from(path);
}

parentPort?.on('message', (list: LinkList) => {
  make(list, workerData);
  Atomics.add(workerData, SHARED.lists, 1);
  parentPort?.postMessage('done');
});
parentPort?.postMessage('ready');
