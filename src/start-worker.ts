import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Starts a thread; nothing where there can be none, such as where its program was bundled into another. */
export async function startWorker(program: URL, workerData?: unknown): Promise<Worker | undefined> {
  let worker: Worker | undefined;
  try {
    worker = new Worker(program, { workerData });
    // Its first word is that it runs; an error in its place is thrown here.
    await once(worker, 'message');
    return worker;
  } catch {
    // Whatever it is, the work can be done without it.
    await worker?.terminate();
    return undefined;
  }
}
