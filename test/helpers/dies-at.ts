import { spawnSync } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'vitest';

const killer = fileURLToPath(new URL('./die-at-call.mjs', import.meta.url));

/** Gives where a program finds a file of the built library. */
export function built(file: string): string {
  return pathToFileURL(fileURLToPath(new URL(`../../dist/src/${file}`, import.meta.url))).href;
}

/** Runs a program, which has `values` as JSON, in a process that is killed before its n-th change; says whether it was. */
export function diesAt(at: number, program: string, values: readonly unknown[]): boolean {
  const { signal, status, stderr } = spawnSync(
    process.execPath,
    ['--import', killer, '--input-type=module', '-e', program, '--', JSON.stringify(values)],
    { env: { DIE_AT: String(at) }, encoding: 'utf8' },
  );
  expect(signal === 'SIGKILL' || status === 0, stderr).toBe(true);
  return signal === 'SIGKILL';
}
