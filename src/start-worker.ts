import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/**
 * Starts a thread; nothing where there can be none, such as where its program was bundled into another. `onMessage` hears every word
 * from the first on: whoever begins to listen when the thread runs may miss what it says at once.
 */
export async function startWorker(
  program: URL,
  workerData?: unknown,
  onMessage?: (message: unknown) => void,
): Promise<Worker | undefined> {
  let worker: Worker | undefined;
  try {
    worker = new Worker(program, { workerData, ...(IS_TEXT && { execArgv: [] }) });
    if (onMessage !== undefined) worker.on('message', onMessage);
    // Its first word is that it runs; an error in its place is thrown here.
    await once(worker, 'message');
    return worker;
  } catch {
    // Whatever it is, the work can be done without it.
    await worker?.terminate();
    return undefined;
  }
}

/** A program that is given as text may have options that one in a file must not have. */
const IS_TEXT = process.execArgv.some((option) => option.startsWith('--input-type'));
