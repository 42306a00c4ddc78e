import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

const script = fileURLToPath(new URL('../bench/run.mjs', import.meta.url));

interface Row {
  readonly case: string;
  readonly ours: number;
  readonly yardstick: number | null;
  readonly ratio: number | null;
  readonly target: number | null;
  readonly unit: string;
}

async function bench(words: readonly string[], { path = process.env.PATH } = {}) {
  const folder = await tempFolder();
  const json = join(folder, 'rows.json');
  const env = { PATH: path, HOME: folder, TMPDIR: folder };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...words, '--json', json], { env });
  const rows = async (): Promise<Row[]> => JSON.parse(await readFile(json, 'utf8'));
  return { stdout, rows };
}

const measured = [
  'start-version',
  'start-help',
  'save-small',
  'save-bulk',
  'save-large',
  'save-known',
  'save-known-requests',
  'save-warm',
  'save-warm-requests',
  'save-many',
  'save-many-memory',
  'clone-no-download',
  'clone-no-download-memory',
  'clone-warm',
  'clone-warm-memory',
  'clone-warm-requests',
  'status',
  'status-memory',
  'prepare',
  'prepare-memory',
  'stage-all',
  'publish-small',
  'publish-large',
  'publish-next',
  'publish-next-memory',
  'publish-next-sent',
  'save-latency',
  'sync-first',
  'sync-idle',
  'sync-changed',
  'sync-million-memory',
  'replicate-million-memory',
  'command-ls',
  'command-tree',
  'command-resolve',
  'command-cat',
  'clone-million-memory',
  'status-million-memory',
  'prepare-million-memory',
];

it('the benchmark works in a small size: rows with what ours and the yardstick took, a table, and plots', async () => {
  const folder = await tempFolder();
  const { rows } = await bench(['--small', '--write', folder]);
  const all = await rows();
  expect(all.map((row) => row.case)).toEqual(expect.arrayContaining(measured));
  for (const row of all) {
    expect(Object.keys(row)).toEqual(['case', 'ours', 'yardstick', 'ratio', 'target', 'unit']);
    expect(row.ours, row.case).toBeGreaterThanOrEqual(0);
    // Counts are the same on every machine; no time is, and memory only of a process that does nothing else.
    if (/-(requests|sent)$/.test(row.case)) expect(row.ours, row.case).toBe(row.yardstick);
  }
  const table = await readFile(join(folder, 'results.md'), 'utf8');
  for (const row of all) expect(table).toContain(`\n| ${row.case} | `);
  expect(table).toContain('\n- `save-known`: ');
  for (const plot of ['growth', 'concurrency']) {
    expect(await readFile(join(folder, `${plot}.svg`), 'utf8')).toMatch(/^<svg.*<polyline points="\d.*<\/svg>\n$/s);
  }
}, 600_000);

it('rows of a case that is measured again take the place of its own, and others stay', async () => {
  const folder = await tempFolder();
  await bench(['--small', '--write', folder, '--case', 'start-version', '--case', 'digest']);
  await bench(['--small', '--write', folder, '--case', 'start-version']);
  const table = await readFile(join(folder, 'results.md'), 'utf8');
  expect(table.match(/^\| (start-version|digest) /gm)).toEqual(['| start-version ', '| digest ']);
});

it('a yardstick that is not installed is named, and ours is measured without it', async () => {
  const { rows, stdout } = await bench(['--small', '--case', 'save-large'], { path: await tempFolder() });
  expect(await rows()).toEqual([
    { case: 'save-large', ours: expect.any(Number), yardstick: null, ratio: null, target: 0.6, unit: 's' },
  ]);
  expect(stdout).toContain('| curl, md5sum: not installed |');
});

it.each([
  [['--case', 'none'], 'There is no case "none"; there are start-version, '],
  [['--entries', 'many'], '"many" is no number of entries.'],
  [['--smal'], "Unknown option '--smal'"],
])('what it cannot do is said before anything is made: %s', async (words, message) => {
  const folder = await tempFolder();
  const env = { PATH: process.env.PATH, TMPDIR: folder };
  const running = promisify(execFile)(process.execPath, [script, ...words], { env });
  await expect(running).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  expect(await readdir(folder)).toEqual([]);
});

it('its help names the cases, and runs none', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--help']);
  expect(stdout).toContain('\nstatus-million: ');
  expect(stdout).not.toContain('| ratio |');
});
