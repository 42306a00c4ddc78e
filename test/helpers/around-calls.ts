import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

const { fsync, fsyncSync, lstatSync, renameSync } = fs;
const { statfs } = fs.promises;
const CALLS = { fsync, fsyncSync, lstatSync, renameSync, statfs };
type Calls = typeof CALLS;

/** Has something of a test's own stand around calls to the file system until the test has ended. */
export function aroundCalls(
  around: {
    readonly [N in keyof Calls]?: (call: Calls[N], ...args: Parameters<Calls[N]>) => unknown;
  },
): void {
  for (const [name, wrap] of Object.entries(around)) {
    const call = CALLS[name as keyof Calls];
    const holder = name === 'statfs' ? fs.promises : fs;
    const wrapped = (...args: readonly unknown[]) => (wrap as (...all: unknown[]) => unknown)(call, ...args);
    Object.assign(holder, { [name]: wrapped });
    onTestFinished(() => {
      Object.assign(holder, { [name]: call });
      syncBuiltinESMExports();
    });
  }
  syncBuiltinESMExports();
}

/** Has the file system seem to take names that differ by case for the same, to whoever tries that out. */
export function foldNames(): void {
  aroundCalls({
    lstatSync: (call, path, ...options) => call(String(path).replace(/\.a\u00e9$/, '.A\u00e9'), ...(options as [])),
  });
}
