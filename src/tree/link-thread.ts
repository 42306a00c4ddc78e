import { extname } from 'node:path';
import { startWorker } from '../start-worker.ts';
import { type LinkList, SHARED } from './link-list.ts';

/** Makes symlinks on another thread. */
export interface LinkThread {
  /** How many lists it has not left behind yet; infinitely many where it makes no more. */
  waiting(): number;
  /** Makes links, and gives how many it made: all, unless one failed, now or before, or the thread was stopped. */
  make(list: LinkList): Promise<number>;
  /** Has it make no more, and ends it once it is known how many it has made. */
  stop(): Promise<void>;
}

/** Starts a thread; nothing where there can be none. */
export async function startLinkThread(): Promise<LinkThread | undefined> {
  const shared = new Int32Array(new SharedArrayBuffer(SHARED.length * Int32Array.BYTES_PER_ELEMENT));
  const worker = await startWorker(new URL(`./link-worker${extname(import.meta.url)}`, import.meta.url), shared);
  if (worker === undefined) return undefined;
  const waiting: { readonly length: number; readonly resolve: (made: number) => void }[] = [];
  let given = 0;
  let told = 0;
  let last: Promise<number> | undefined;

  const tell = () => {
    const list = waiting.shift();
    const made = Math.min(Atomics.load(shared, SHARED.links) - told, list?.length ?? 0);
    told += made;
    list?.resolve(made);
  };
  const isStopped = () => Atomics.load(shared, SHARED.stop) === 1;
  const stop = () => void Atomics.store(shared, SHARED.stop, 1);
  worker.on('message', tell);
  // Should it end by itself, the rest is for whoever asked.
  worker.on('error', stop).on('exit', () => {
    stop();
    while (waiting.length > 0) tell();
  });

  return {
    waiting: () => (isStopped() ? Number.POSITIVE_INFINITY : given - Atomics.load(shared, SHARED.lists)),
    make(list) {
      if (isStopped()) return Promise.resolve(0);
      given++;
      last = new Promise((resolve) => void waiting.push({ length: list.texts.length, resolve }));
      worker.postMessage(list);
      return last;
    },
    async stop() {
      stop();
      await last;
      await worker.terminate();
    },
  };
}
