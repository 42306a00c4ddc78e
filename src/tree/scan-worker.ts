import { parentPort, workerData } from 'node:worker_threads';
import type { Entry } from '../model/tree.ts';
import { createLook } from './look-home.ts';
import { scanInParts } from './scan.ts';
import { LIST, MAX_WAITING, packEntries, type ScanTask } from './scan-list.ts';

/** The main program of a worker thread that reads a folder. */

async function scan({ root, home, taken }: ScanTask): Promise<void> {
  const look = createLook(home);
  let given = 0;
  const give = (entries: readonly Entry[]) => {
    for (let now = Atomics.load(taken, 0); given - now >= MAX_WAITING; now = Atomics.load(taken, 0)) {
      Atomics.wait(taken, 0, now);
    }
    // Whoever has nothing to do looks for himself: so both are busy to the end.
    const isAwaited = given === Atomics.load(taken, 0);
    const list = packEntries(entries, isAwaited ? undefined : look);
    given++;
    parentPort?.postMessage(list, [list.kinds.buffer, list.numbers.buffer]);
  };

  let entries: Entry[] = [];
  for await (const part of scanInParts(root)) {
    for (const entry of part) entries.push(entry);
    if (entries.length < LIST) continue;
    give(entries);
    entries = [];
  }
  give(entries);
  parentPort?.postMessage('done');
}

parentPort?.postMessage('ready');
await scan(workerData);
