import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const seed = {
  versions: {
    'p/a/v1': { 'x.txt': 'x\n', 'old/y.txt': 'yy\n' },
    'p/a/v2': { 'x.txt': 'new\n', 'new/y.txt': { link: 'p/a/v1:/old/y.txt' } },
  },
};

function gypsum({ registry, cacheDir, folder }: Rig, ...words: string[]) {
  const environment = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir, GYPSUM_TOKEN: registry.token };
  return startCli(words, environment, { cwd: folder }).end();
}

it('gypsum log shows versions, newest first', async () => {
  const rig = await createRig(seed);
  const { code, stdout, stderr } = await gypsum(rig, 'log', 'p/a');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const date = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
  expect(stdout).toMatch(
    new RegExp(
      [
        String.raw`^p/a/v2 \(latest\)  ${date}  \S+  2 files, 7 B`,
        String.raw`  since v1: 1 file modified \(4 B\), 1 file moved \(3 B\)`,
        String.raw`p/a/v1  ${date}  \S+  2 files, 5 B`,
        String.raw`  the first: 2 files added \(5 B\)$`,
      ].join('\n'),
      'm',
    ),
  );
  expect((await gypsum(rig, 'log', 'p/a', '--limit', '1')).stdout).toContain('1 older version not shown.');
  expect(JSON.parse((await gypsum(rig, 'log', 'p/a/v1', '--json')).stdout)).toMatchObject({
    versions: [{ version: 'v1', isLatest: false, uploadFinish: expect.stringMatching(/Z$/) }],
  });
  expect(await gypsum(rig, 'log', 'p/a', '--limit', '0')).toMatchObject({ code: 2 });
});

it('gypsum why shows where a file’s bytes come from', async () => {
  const rig = await createRig(seed);
  await gypsum(rig, 'clone', 'p/a/v2', 'clone');
  const { code, stdout } = await gypsum(rig, 'why', 'clone/new/y.txt');
  const date = String.raw`\d{4}-\d\d-\d\dT[\d:.]+Z`;
  expect(code).toBe(0);
  expect(stdout).toMatch(
    new RegExp(
      [
        String.raw`^\S+/clone/new/y\.txt: a link; 3 B, MD5 [0-9a-f]{32}`,
        String.raw`  p/a/v2:/new/y\.txt  ${date}  \S+`,
        String.raw`  -> p/a/v1:/old/y\.txt  ${date}  \S+  holds the bytes\n$`,
      ].join('\n'),
    ),
  );
  expect((await gypsum(rig, 'why', 'p/a:/x.txt')).stdout).toMatch(/^p\/a\/v2:\/x\.txt: a file of a version; 4 B/);
  expect(JSON.parse((await gypsum(rig, 'why', './clone/x.txt', '--json')).stdout)).toMatchObject({
    state: 'linked',
    way: [{ version: 'v2', path: 'x.txt' }],
  });
  await writeFile(join(rig.folder, 'clone/n'), 'n');
  expect((await gypsum(rig, 'why', 'clone/n')).stdout).toMatch(/clone\/n: new, in no version that is known; 1 B/);
  expect(await gypsum(rig, 'why', 'clone/nope')).toMatchObject({ code: 2, stdout: '' });
});
