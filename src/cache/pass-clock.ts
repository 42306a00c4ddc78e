import { lstat, unlink, writeFile } from 'node:fs/promises';
import { sleep } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';

/** Units: milliseconds. How long the clock may need to pass a change before we give up waiting. */
const MAX_CLOCK_WAIT = 3_000;

/**
 * Waits until the clock of a file system, which may be another machine's, has passed a change, and gives what it shows;
 * it may not have, if a file's time lies in the future. `probe` is a fresh path there.
 *
 * Units: milliseconds
 */
export async function passClock(probe: string, change: number, signal?: AbortSignal): Promise<number> {
  const path = fsPath(probe);
  const until = performance.now() + MAX_CLOCK_WAIT;
  for (;;) {
    await writeFile(path, '');
    const { ctimeMs } = await lstat(path);
    await unlink(path);
    if (ctimeMs > change || performance.now() > until) return ctimeMs;
    await sleep(2, signal);
  }
}
