import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

const script = fileURLToPath(new URL('../../scripts/quickstart.mjs', import.meta.url));

it('the quickstart proves that the fourth version of real data cost one file', async () => {
  const folder = await tempFolder();
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    env: { PATH: process.env.PATH, HOME: folder, TMPDIR: folder },
  });
  const rows = stdout.split('\n').filter((line) => /^\d\S* +\d+ +/.test(line));
  expect(
    rows.map((row) =>
      row
        .split(/ {2,}/)
        .slice(0, 4)
        .filter((_, at) => at !== 2),
    ),
  ).toEqual([
    ['2.11.0', '86', '86'],
    ['3.1.0', '89', '27'],
    ['3.2.1', '89', '6'],
    ['3.2.1-edited', '89', '1'],
  ]);
  expect(stdout.match(/^proved: /gm)).toHaveLength(5);
  expect(stdout).not.toContain('FAILED');
  expect(stdout).toContain('Go on by hand.');
  // All that is left is the folder that it tells how to go on with.
  expect(await readdir(folder)).toEqual([expect.stringMatching(/^gypsum-quickstart-/)]);
});
