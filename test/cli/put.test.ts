import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { layOutFixture } from '../helpers/fixture-tree.ts';
import { withoutPrivileges } from '../helpers/privileges.ts';
import { createRig } from '../helpers/rig.ts';

async function createCommand() {
  const { registry, cacheDir, folder, client } = await createRig({ projects: { p: {} } });
  layOutFixture(join(folder, 'testdata'), 'testdata');
  const environment = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir, GYPSUM_TOKEN: registry.token };
  const run = (words: string[], prefix: readonly string[] = []) =>
    startCli(words, environment, { cwd: folder, prefix }).end();
  return { folder, client, run };
}

it('put shows what changes, as a table or as JSON, and a dry run what would', async () => {
  const { folder, client, run } = await createCommand();
  const foreseen = await run(['put', 'testdata/', 'p/a', '--dry-run']);
  expect(foreseen).toMatchObject({ code: 0, stdout: expect.stringContaining('Would publish p/a/1: 11 added;') });
  expect(await client.listVersions({ project: 'p', asset: 'a' })).toEqual([]);

  const first = await run(['put', 'testdata/', 'p/a', '--json']);
  expect(JSON.parse(first.stdout)).toMatchObject({ version: '1', published: true, outside: 0 });
  writeFileSync(join(folder, 'testdata/test.md'), 'Hello tests!');
  const { stdout } = await run(['put', 'testdata/', 'p/a', '--exclude', 'subfolder', '--delete']);
  expect(stdout.split('\n')).toEqual([
    '*  test.md  12 B',
    'Published p/a/2: 1 changed; sent 1 (12 B), linked 7 (68 B).',
    '',
  ]);
  expect(await run(['put', 'testdata/', 'p/a', '--rescue', '--dry-run'])).toMatchObject({ code: 2 });
  expect(await run(['put', 'testdata/', 'p/a', '--rescue'])).toMatchObject({
    code: 0,
    stdout: 'Nothing has changed since p/a/2; nothing was published.\n',
  });
});

it.skipIf(withoutPrivileges === undefined)(
  'put names what it cannot read, and publishes the rest only if told',
  async () => {
    const { folder, client, run } = await createCommand();
    for (const path of ['testdata/test.md', 'testdata/subfolder']) chmodSync(join(folder, path), 0);
    const wrong = await run(['put', 'testdata/', 'p/a'], withoutPrivileges);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toMatch(/^E {2}subfolder\/ +cannot be read$/m);
    expect(wrong.stdout).toMatch(/^E {2}test\.md +cannot be read$/m);
    expect(wrong.stdout).toContain('--ignore-errors');
    expect(await client.listVersions({ project: 'p', asset: 'a' })).toEqual([]);
    expect(await run(['put', 'testdata/', 'p/a', '--ignore-errors'], withoutPrivileges)).toMatchObject({ code: 0 });
    const manifest = await client.fetchManifest({ project: 'p', asset: 'a', version: '1' });
    expect(Object.keys(manifest)).toEqual(expect.arrayContaining(['another.md']));
    expect(manifest).not.toHaveProperty('test.md');
    chmodSync(join(folder, 'testdata/subfolder'), 0o755);
  },
);

it('add and rm make a version with one change each, also of standard input', async () => {
  const { folder, client, run } = await createCommand();
  expect(await run(['add', 'testdata/test.md', 'p/a'])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Published p/a/1: 1 added;'),
  });
  // Standard input is empty.
  expect(await run(['add', '-', 'p/a:/in/empty'])).toMatchObject({ code: 0 });
  expect(await run(['add', 'p/a/1:/test.md', 'p/a:/in/'])).toMatchObject({ code: 0 });
  expect(await run(['add', 'testdata/test.md', 'p/a'])).toMatchObject({ code: 15 });
  expect(await run(['rm', 'p/a:/in'])).toMatchObject({ code: 2, stderr: expect.stringContaining('-r') });
  expect(await run(['rm', 'p/a:/in/', '-r', '--json'])).toMatchObject({ code: 0 });
  const manifests = ['3', '4'].map((version) => client.fetchManifest({ project: 'p', asset: 'a', version }));
  expect((await Promise.all(manifests)).map((manifest) => Object.keys(manifest))).toEqual([
    ['in/empty', 'in/test.md', 'test.md'],
    ['test.md'],
  ]);
  expect(await run(['get', 'p/a/2:/in/empty', 'copy'])).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, 'copy'), 'utf8')).toBe('');
});
