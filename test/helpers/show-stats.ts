import fs, { type Stats } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

/** Has files look otherwise than they are, until the test ends: as on other disks, with other clocks. */
export function showStats(change: (stats: Stats, path: string) => Partial<Stats>): void {
  const { statSync, lstatSync } = fs;
  const { lstat } = fs.promises;
  const show = (path: unknown, stats: Stats | undefined) => stats && Object.assign(stats, change(stats, String(path)));
  Object.assign(fs, {
    statSync: (...args: Parameters<typeof statSync>) => show(args[0], statSync(...args) as Stats | undefined),
    lstatSync: (...args: Parameters<typeof lstatSync>) => show(args[0], lstatSync(...args) as Stats | undefined),
  });
  Object.assign(fs.promises, {
    lstat: async (...args: Parameters<typeof lstat>) => show(args[0], (await lstat(...args)) as Stats),
  });
  syncBuiltinESMExports();
  onTestFinished(() => {
    Object.assign(fs, { statSync, lstatSync });
    Object.assign(fs.promises, { lstat });
    syncBuiltinESMExports();
  });
}

/**
 * Has times look as on file systems whose clock ticks so seldom, in milliseconds: several changes look like one then. On
 * Linux, they are fine only since 6.13.
 */
export function makeClockCoarse(tick: number): void {
  const coarse = (time: number) => Math.floor(time / tick) * tick;
  showStats(({ mtimeMs, ctimeMs }) => ({ mtimeMs: coarse(mtimeMs), ctimeMs: coarse(ctimeMs) }));
}
