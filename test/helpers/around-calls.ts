import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { onTestFinished } from 'vitest';

type Name = 'fsyncSync' | 'lstatSync' | 'renameSync';

/** Has something of a test's own stand around calls to the file system until the test has ended. */
export function aroundCalls(
  around: {
    readonly [N in Name]?: (call: (typeof fs)[N], ...args: Parameters<(typeof fs)[N]>) => unknown;
  },
): void {
  for (const [name, wrap] of Object.entries(around)) {
    const call = fs[name as Name];
    Object.assign(fs, { [name]: (...args: never) => (wrap as (...all: unknown[]) => unknown)(call, ...(args as [])) });
    onTestFinished(() => {
      Object.assign(fs, { [name]: call });
      syncBuiltinESMExports();
    });
  }
  syncBuiltinESMExports();
}

/** Has the file system seem to take names that differ by case for the same, to whoever tries that out. */
export function foldNames(): void {
  aroundCalls({
    lstatSync: (call, path, ...options) => call(String(path).replace('.gypsum-a', '.gypsum-A'), ...(options as [])),
  });
}
