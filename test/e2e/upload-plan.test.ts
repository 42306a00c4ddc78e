import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { createRig } from '../helpers/rig.ts';

const V2 = { project: 'p', asset: 'a', version: 'v2' };

/** A folder to be published, a plan of that in a file, and the command. */
async function createPlanned() {
  const rig = await createRig({ versions: { 'p/a/v1': { 'a.txt': 'content of a' } } });
  const mine = await rig.makeFolder('mine', { 'moved.txt': 'content of a', 'new.txt': 'new', 'x.tmp': '' });
  await writeFile(join(mine, '.gypsumignore'), '*.tmp\n');
  const environment = {
    GYPSUM_URL: rig.registry.url,
    GYPSUM_CACHE_DIR: rig.cacheDir,
    GYPSUM_TOKEN: rig.registry.token,
    GYPSUM_STATE_DIR: join(rig.folder, 'state'),
  };
  const gypsum = (...argv: string[]) => startCli(argv, environment, { cwd: rig.folder }).end();
  const { stdout, code } = await gypsum('upload', 'mine', 'p/a/v2', '--dry-run', '--json');
  expect(code).toBe(0);
  await writeFile(join(rig.folder, 'plan.json'), stdout);
  await writeFile(join(rig.folder, 'other.json'), '{}');
  return { ...rig, mine, gypsum };
}

it('a dry run says what is sent, linked and left out, and its JSON can be published later', async () => {
  const { gypsum, client } = await createPlanned();
  const { stdout } = await gypsum('upload', 'mine', 'p/a/v2', '--dry-run');
  expect(stdout).toContain('1 file to send (3 B), 1 to link (12 B)\nleft out by .gypsumignore: 1\n');
  expect(await client.listVersions(V2)).toEqual(['v1']);
  expect(await gypsum('upload', '--plan', 'plan.json')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^Published p\/a\/v2: 2 files, 15 B; sent 1 \(3 B\), linked 1 \(12 B\)\.\nLeft out by \.gypsumignore: 1\.$/m,
    ),
  });
  expect(await client.fetchManifest(V2)).toMatchObject({
    'moved.txt': { link: { version: 'v1' } },
    'new.txt': { size: 3 },
  });
});

it('a plan of files that have changed since is refused', async () => {
  const { gypsum, mine, client } = await createPlanned();
  await writeFile(join(mine, 'new.txt'), 'WEN');
  expect(await gypsum('upload', '--plan', 'plan.json')).toMatchObject({
    code: 13,
    stderr: expect.stringMatching(
      /\nMake a new plan \(gypsum upload FOLDER PROJECT\/ASSET\/VERSION --dry-run --json\)/,
    ),
  });
  expect(await client.listVersions(V2)).toEqual(['v1']);
});

it.each([
  ['a plan that is not there', 'nowhere.json', 'there is no such file.', 'nowhere.json'],
  ['a folder in place of a plan', 'mine', 'it is a folder.', 'plan.json'],
  ['an empty plan', 'mine/empty', 'it is empty.', 'mine/empty'],
  ['text in place of a plan', 'mine/new.txt', 'it is not JSON.', 'plan.json'],
  ['JSON of something else', 'other.json', 'it holds something else. This is not the plan of an upload: ', 'plan.json'],
])('%s is refused, and it is said how one is made', async (_name, file, why, writeTo) => {
  const { gypsum, mine, client } = await createPlanned();
  await writeFile(join(mine, 'empty'), '');
  const { code, stderr } = await gypsum('upload', '--plan', file);
  expect(code).toBe(2);
  expect(stderr).toContain(`There is no plan in ${file}: ${why}`);
  expect(stderr).toContain(`gypsum upload FOLDER PROJECT/ASSET/VERSION --dry-run --json > ${writeTo}\n`);
  expect(await client.listVersions(V2)).toEqual(['v1']);
});

it.each([
  ['a plan beside a folder', ['mine', '--plan', 'plan.json']],
  ['a plan that shall only be shown', ['--plan', 'plan.json', '--dry-run']],
  ['neither plan nor folder', []],
  ['a folder without a version', ['mine']],
  ['a rescue that changes nothing', ['mine', 'p/a/v2', '--rescue', '--dry-run']],
])('%s is refused', async (_name, argv) => {
  const { gypsum, folder, client } = await createPlanned();
  const { code, stderr } = await gypsum('upload', ...argv);
  expect(code).toBe(2);
  expect(stderr).not.toContain('    at ');
  expect(await client.listVersions(V2)).toEqual(['v1']);
  expect(await readFile(join(folder, 'mine/new.txt'), 'utf8')).toBe('new');
});
