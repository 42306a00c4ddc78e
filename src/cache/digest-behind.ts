import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { Digest } from '../model/digest.ts';
import { startWorker } from '../start-worker.ts';
import type { FromThread, ToThread } from './digest-behind-worker.ts';

/** Digests a file on another thread while it is written. */
export interface Behind {
  /** Says how much of the file is there by now. Units: bytes */
  written(size: number): void;
  /** Gives the digest of so many bytes, which are there; nothing where that could not be done. Units: bytes */
  end(size: number): Promise<string | undefined>;
  /** Ends it before its time; nothing is to be done where it has ended. */
  stop(): void;
}

/** Other threads that digest what is written on this one. */
export interface DigestThreads {
  /** Begins with a file, which need not hold anything yet; gives nothing where there is no thread. */
  follow(path: string, algorithm: Digest['algorithm']): Promise<Behind | undefined>;
  close(): Promise<void>;
}

/** Less of a file is not told of. Units: bytes */
const STEP = 1024 * 1024;

/** So many digest more than one thread can receive. */
const MOST = 4;

/** Gives threads for large contents, at most one for each core but the one that receives; they are started as files come. */
export function createDigestThreads(most = Math.min(MOST, Math.max(1, availableParallelism() - 1))): DigestThreads {
  const threads: Promise<Thread | undefined>[] = [];
  return {
    async follow(path, algorithm) {
      if (threads.length < most) threads.push(startThread());
      const started = (await Promise.all(threads)).flatMap((thread) => (thread?.isAlive() ? thread : []));
      const [free] = started.sort((a, b) => a.open() - b.open());
      return free?.follow(path, algorithm);
    },
    async close() {
      for (const thread of await Promise.all(threads)) await thread?.close();
    },
  };
}

interface Thread extends Pick<DigestThreads, 'close'> {
  isAlive(): boolean;
  /** How many files it works at. */
  open(): number;
  follow(path: string, algorithm: Digest['algorithm']): Behind;
}

async function startThread(): Promise<Thread | undefined> {
  const waiting = new Map<number, (hex: string | undefined) => void>();
  const program = new URL(`./digest-behind-worker${extname(import.meta.url)}`, import.meta.url);
  const hear = (message: unknown) => {
    if (message === 'ready') return;
    const { id, hex } = message as FromThread;
    waiting.get(id)?.(hex);
  };
  const worker: Worker | undefined = await startWorker(program, undefined, hear);
  if (worker === undefined) return undefined;
  let isAlive = true;
  let last = 0;
  const fail = () => {
    isAlive = false;
    for (const resolve of waiting.values()) resolve(undefined);
  };
  worker.on('error', fail).on('exit', fail);
  const say = (message: ToThread) => worker.postMessage(message);

  return {
    isAlive: () => isAlive,
    open: () => waiting.size,
    follow(path, algorithm) {
      const id = ++last;
      let told = 0;
      const done = new Promise<string | undefined>((resolve) => {
        waiting.set(id, (hex) => {
          waiting.delete(id);
          resolve(hex);
        });
      });
      if (!isAlive) fail();
      say({ id, path, algorithm });
      return {
        written(size) {
          if (size - told < STEP) return;
          told = size;
          say({ id, size });
        },
        end(size) {
          say({ id, size, isAll: true });
          return done;
        },
        stop() {
          if (!waiting.has(id)) return;
          say({ id, isOver: true });
          waiting.get(id)?.(undefined);
        },
      };
    },
    async close() {
      await worker.terminate();
    },
  };
}
