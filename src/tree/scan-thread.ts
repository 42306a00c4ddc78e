import { extname } from 'node:path';
import { comparePaths, isBelow } from '../model/tree.ts';
import { startWorker } from '../start-worker.ts';
import { createLook } from './look-home.ts';
import { type ScanOptions, scanInParts } from './scan.ts';
import { type ScanList, type ScanTask, type SeenEntry, unpackEntries } from './scan-list.ts';
import { PART } from './walk.ts';

/** Reads a folder on another thread, while somebody gets ready to take its tree. */
export interface ScanThread {
  /** Gives the tree, once, as `scanInParts` does. */
  parts(options: Omit<ScanOptions, 'sizes' | 'facts'>): AsyncGenerator<SeenEntry[]>;
  /** Ends it, whether all was read or not. */
  stop(): Promise<void>;
}

/**
 * Starts to read a folder, given by its real path; gives nothing where there can be no thread. It looks, too, at the files that symlinks
 * lead to which have their own path in the folder `home`.
 */
export async function startScanThread(root: string, home: string): Promise<ScanThread | undefined> {
  const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const program = new URL(`./scan-worker${extname(import.meta.url)}`, import.meta.url);
  const lists: ScanList[] = [];
  let end: 'done' | 'failed' | undefined;
  let wake = () => {};
  const hear = (message: unknown) => {
    if (message === 'done') end = 'done';
    else if (message !== 'ready') lists.push(message as ScanList);
    wake();
  };
  const fail = () => {
    end ??= 'failed';
    wake();
  };
  const look = createLook(home);
  const task: ScanTask = { root, home, taken };
  const worker = await startWorker(program, task, hear);
  if (worker === undefined) return undefined;
  worker.on('error', fail).on('exit', fail);

  async function* take(): AsyncGenerator<ScanList> {
    while (lists.length > 0 || end === undefined) {
      const list = lists.shift();
      if (list === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      } else {
        Atomics.add(taken, 0, 1);
        Atomics.notify(taken, 0);
        yield list;
      }
    }
  }

  return {
    async *parts({ onEvent, ...options }) {
      const { skip, signal } = options;
      const isSkipped = createSkip(skip);
      const tell = (part: SeenEntry[]) => {
        if (part.length > 0) onEvent?.({ type: 'progress', task: 'scan', files: part.length, bytes: 0 });
        return part;
      };
      let last: string | undefined;
      for await (const list of take()) {
        signal?.throwIfAborted();
        for (const part of unpackEntries(list, PART, look)) {
          last = part.at(-1)?.path ?? last;
          yield tell(skip === undefined ? part : part.filter((entry) => !isSkipped(entry)));
        }
      }
      if (end === 'done') return;
      // What it could not read is read here, to learn why.
      for await (const part of scanInParts(root, options)) {
        yield tell(part.filter(({ path }) => last === undefined || comparePaths(path, last) > 0));
      }
    },
    async stop() {
      await worker.terminate();
    },
  };
}

/** Says in the order of a tree what is left out, with all that is below it. */
function createSkip(skip: ScanOptions['skip']): (entry: SeenEntry) => boolean {
  let folder: string | undefined;
  return ({ path, type }) => {
    if (folder !== undefined && isBelow(path, folder)) return true;
    const isSkipped = skip?.(path, type === 'directory') === true;
    if (isSkipped && type === 'directory') folder = path;
    return isSkipped;
  };
}
