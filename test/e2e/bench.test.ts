import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

const script = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));

it('the benchmark works in a small size: a row a case, with seconds and memory', async () => {
  const folder = await tempFolder();
  const file = join(folder, 'results.json');
  await promisify(execFile)(process.execPath, [script, '--small', '--json', file], {
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
  });
  const rows: { case: string; ours: number; yardstick?: number; peakMiB: number }[] = JSON.parse(
    await readFile(file, 'utf8'),
  );
  expect(rows.map((row) => row.case)).toEqual([
    'clone-no-download',
    'clone-warm',
    'prepare',
    'status',
    'ls',
    'tree',
    'clone-million',
    'status-million',
    'prepare-million',
    'diff-million',
    'restore-million',
    'stage-million',
    'checkout-million',
    'export-million',
    'export-folder-million',
    'link-million',
    'digest',
    'sync-first',
    'sync-idle',
    'sync-changed',
    'sync-renamed',
    'sync-large',
    'replicate-idle',
    'serve-small',
    'serve-large',
    'upload-small',
    'upload-large',
    'serve-memory',
    'upload-memory',
  ]);
  for (const { ours, yardstick = 1, peakMiB, case: name } of rows) {
    // What a shell knows of its children's time is coarse.
    if (name === 'replicate-idle') expect(yardstick).toBeGreaterThanOrEqual(0);
    else expect(yardstick).toBeGreaterThan(0);
    // Of another process only Linux tells how much memory it had.
    expect(Math.min(ours, process.platform === 'linux' ? peakMiB : 1)).toBeGreaterThan(0);
  }
  // Every case is four processes, one after the other.
}, 300_000);

it('its help names the cases, and runs none', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--help']);
  expect(stdout).toContain('\nstatus-million: ');
  expect(stdout).not.toContain('ratio');
});
