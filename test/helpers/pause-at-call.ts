import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

/** Something in the middle of which something else is done, before its call to the file system with this number. */
interface Interrupted {
  left: number;
  readonly meanwhile: () => Promise<unknown>;
}

const CALLS = [
  'chmod',
  'copyFile',
  'link',
  'lstat',
  'mkdir',
  'open',
  'readFile',
  'rename',
  'unlink',
  'writeFile',
] as const;

/**
 * Gives what does some work, and something else in the middle of it: before the call with a number that the work makes to
 * the file system without blocking. It says whether there was such a call. All calls are made, only later.
 */
export function preparePauses() {
  const current = new AsyncLocalStorage<Interrupted | undefined>();
  const restore = CALLS.map((name) => {
    const call = fs[name] as (...args: unknown[]) => Promise<unknown>;
    const paused = async (...args: unknown[]) => {
      const work = current.getStore();
      if (work !== undefined && work.left-- === 0) await current.run(undefined, work.meanwhile);
      return call.apply(fs, args);
    };
    Object.assign(fs, { [name]: paused });
    return () => Object.assign(fs, { [name]: call });
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    for (const one of restore) one();
    syncBuiltinESMExports();
  });
  return async (at: number, work: () => Promise<unknown>, meanwhile: () => Promise<unknown>): Promise<boolean> => {
    const interrupted = { left: at, meanwhile };
    await current.run(interrupted, work);
    return interrupted.left < 0;
  };
}
