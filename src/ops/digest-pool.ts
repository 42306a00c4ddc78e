import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { fsPath } from '../model/local-path.ts';
import { startWorker } from '../start-worker.ts';
import { type Digested, digestFile } from './digest-file.ts';
import type { FromWorker } from './digest-worker.ts';

/** Digests files on other threads, one for each core at most; they are started when they are needed. */
export interface DigestPool {
  /** The same as `digestFile`, which it calls where no thread can be started. */
  digest(source: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<Digested>;
  close(): Promise<void>;
}

export function createDigestPool(size = availableParallelism()): DigestPool {
  const workers = new Set<Worker>();
  const idle: Worker[] = [];
  const waiting: (() => void)[] = [];
  let busy = 0;

  const start = async (): Promise<Worker | undefined> => {
    const worker = await startWorker(new URL(`./digest-worker${extname(import.meta.url)}`, import.meta.url));
    if (worker !== undefined) workers.add(worker);
    return worker;
  };

  return {
    async digest(source, signal, onBytes) {
      while (busy >= size) await new Promise<void>((resolve) => void waiting.push(resolve));
      busy++;
      try {
        signal.throwIfAborted();
        const worker = idle.pop() ?? (await start());
        const digested = worker && (await askWorker(worker, source, signal, onBytes));
        if (worker === undefined || digested === undefined) return await digestFile(source, signal, onBytes);
        idle.push(worker);
        return digested;
      } finally {
        busy--;
        waiting.shift()?.();
      }
    },
    async close() {
      await Promise.all([...workers].map((worker) => worker.terminate()));
    },
  };
}

/** Has a worker digest a file; nothing if it could not, or was stopped by the signal: then it is of no more use. */
function askWorker(
  worker: Worker,
  source: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Digested | undefined> {
  return new Promise((resolve) => {
    let counted = 0;
    const end = (digested: Digested | undefined) => {
      signal.removeEventListener('abort', stop);
      worker.off('message', hear).off('error', fail).off('exit', fail);
      if (digested === undefined) onBytes(-counted);
      resolve(digested);
    };
    const stop = () => void worker.terminate();
    const fail = () => end(undefined);
    const hear = (message: FromWorker) => {
      if (message.type === 'done') end(message.digested);
      else if (message.type === 'failed') fail();
      else if (message.type === 'bytes') {
        counted += message.bytes;
        onBytes(message.bytes);
      }
    };
    signal.addEventListener('abort', stop, { once: true });
    worker.on('message', hear).on('error', fail).on('exit', fail);
    worker.postMessage(fsPath(source));
  });
}
