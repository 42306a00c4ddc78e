import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatTreeRecord, type RecordEntry } from '../../src/model/tree-record.ts';
import { callCli } from '../helpers/call-cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const seed = {
  versions: {
    'p/a/v1': { 'x.txt': 'x\n', 'old/y.txt': 'yy\n' },
    'p/a/v2': { 'x.txt': 'new\n', 'new/y.txt': { link: 'p/a/v1:/old/y.txt' } },
  },
};

/** Runs a command against a rig. */
const run = ({ registry, cacheDir }: Rig, ...argv: string[]) =>
  callCli([...argv, '--registry', registry.url, '--cache', cacheDir]);

it('gypsum log shows versions, newest first', async () => {
  const rig = await createRig(seed);
  const { code, stdout, stderr } = await run(rig, 'log', 'p/a');
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
  expect((await run(rig, 'log', 'p/a', '--limit', '1')).stdout).toContain('1 older version not shown.');
  expect(JSON.parse((await run(rig, 'log', 'p/a/v1', '--json')).stdout)).toMatchObject({
    versions: [{ version: 'v1', isLatest: false, uploadFinish: expect.stringMatching(/Z$/) }],
  });
  expect(await run(rig, 'log', 'p/a', '--limit', '0')).toMatchObject({ code: 2 });
});

it('gypsum why shows where a file’s bytes come from', async () => {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await run(rig, 'clone', 'p/a/v2', clone);
  const { code, stdout } = await run(rig, 'why', join(clone, 'new/y.txt'));
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
  expect((await run(rig, 'why', 'p/a:/x.txt')).stdout).toMatch(/^p\/a\/v2:\/x\.txt: a file of a version; 4 B/);
  expect(JSON.parse((await run(rig, 'why', join(clone, 'x.txt'), '--json')).stdout)).toMatchObject({
    state: 'linked',
    way: [{ version: 'v2', path: 'x.txt' }],
  });
  await writeFile(join(clone, 'n'), 'n');
  expect((await run(rig, 'why', join(clone, 'n'))).stdout).toMatch(/clone\/n: new, in no version that is known; 1 B/);
  expect(await run(rig, 'why', join(clone, 'nope'))).toMatchObject({ code: 2, stdout: '' });
});

it('gypsum diff shows changes between any two sides', async () => {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await run(rig, 'clone', 'p/a/v1', clone);
  await rm(join(clone, 'x.txt'));
  await writeFile(join(clone, 'x.txt'), 'new\n');
  await rename(join(clone, 'old/y.txt'), join(clone, 'y.txt'));
  const diff = (...words: string[]) => run(rig, 'diff', ...words);
  const { code, stdout } = await diff(clone);
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual([
    expect.stringMatching(/^modified {2}x\.txt {2}2 B -> 4 B {2}[0-9a-f]{8} -> [0-9a-f]{8}$/),
    expect.stringMatching(/^moved {5}old\/y\.txt -> y\.txt {2}3 B {2}[0-9a-f]{8}$/),
    `p/a/v1 -> ${clone}: 1 file modified (4 B), 1 file moved (3 B), 0 files unchanged.`,
    '',
  ]);
  const stat = async (...sides: string[]) => (await diff(...sides, '--stat')).stdout;
  const summary = (sides: string) => new RegExp(`^${sides}: [^\n]*\n$`);
  expect(await stat(clone)).toMatch(summary(`p/a/v1 -> ${clone}`));
  expect(await stat(join(clone, 'old'))).toMatch(summary(`p/a/v1 -> ${clone}`));
  expect(await stat('p/a', clone)).toMatch(summary(`p/a/v2 -> ${clone}`));
  expect(await stat(clone, 'p/a/v2')).toMatch(summary(`${clone} -> p/a/v2`));
  expect(await stat(clone, join(clone, 'old'))).toMatch(summary(`${clone} -> ${clone}/old`));
  expect(await diff('p/a/v2', 'p/a/v2', '--exit-code')).toEqual({
    code: 0,
    stdout: 'p/a/v2 -> p/a/v2: no file changed, 2 files unchanged.\n',
    stderr: '',
  });
  expect(await diff(clone, '--exit-code')).toMatchObject({ code: 1, stderr: '' });
  expect(JSON.parse((await diff(clone, '--json', '--stat')).stdout)).toEqual({
    before: { project: 'p', asset: 'a', version: 'v1' },
    after: { directory: clone },
    counts: expect.objectContaining({ moved: { files: 1, bytes: 3 } }),
    skipped: [],
  });
});

it('gypsum diff shows symlinks with both targets, other kinds, permissions and empty folders, and no tree record', async () => {
  const link = (path: string, target: string) =>
    ({ type: 'symlink', path, target, targetType: 'unknown' }) as const satisfies RecordEntry;
  const record = (...entries: RecordEntry[]) => formatTreeRecord({ entries });
  const rig = await createRig({
    versions: {
      'p/a/v1': { f: 'f', '.gypsum-tree.json': record(link('gone', 'x'), link('l', 'old\n'), link('t', 'x')) },
      'p/a/v2': {
        f: 'f',
        t: 'text',
        '.gypsum-tree.json': record(
          { type: 'directory', path: 'e', mode: 0o700 },
          { type: 'file', path: 'f', mode: 0o755 },
          link('l', 'new'),
        ),
      },
    },
  });
  const { stdout } = await run(rig, 'diff', 'p/a/v1', 'p/a/v2');
  expect(stdout.split('\n')).toEqual([
    'added     e/  0700',
    'mode      f  0644 -> 0755',
    'removed   gone -> x',
    'modified  l -> old\\x0a, now -> new',
    'type      t  symlink -> x, now file (4 B)',
    'p/a/v1 -> p/a/v2: 1 folder added, 1 symlink removed, 2 files and 1 symlink modified (5 B), 0 files unchanged.',
    '',
  ]);
  expect(await run(rig, 'diff', 'p/a/v1', 'p/a/v2', '--stat', '--exit-code')).toMatchObject({ code: 1 });
});

it('gypsum diff --patch shows nothing that a terminal would obey, and says what is not shown', async () => {
  const rig = await createRig({ versions: { 'p/a/v1': { 'x.txt': 'x\n' } } });
  const mine = await rig.makeFolder('mine', {
    'x.txt': 'x\n',
    'odd\nname': 'a\tb\r\n\u001b[31mred\u202e\n',
    binary: '\0',
    large: '12345678901234567890123',
  });
  const { stdout } = await run(rig, 'diff', 'p/a', mine, '--patch', '--max-text', '20');
  expect(stdout.split('\n').map((line) => line.replace(/[0-9a-f]{8}/, '#'))).toEqual([
    'added     binary  1 B  #  (not text)',
    'added     large  23 B  #  (larger than what is shown line by line)',
    'added     odd\\x0aname  17 B  #',
    '--- /dev/null',
    '+++ "b/odd\\nname"',
    '@@ -0,0 +1,2 @@',
    '+a\tb\r',
    '+\\x1b[31mred\\u202e',
    `p/a/v1 -> ${mine}: 3 files added (41 B), 1 file unchanged.`,
    '',
  ]);
  const { changes } = JSON.parse((await run(rig, 'diff', 'p/a', mine, '--patch', '--json')).stdout);
  expect(changes[2].patch).toContain('+a\tb\r\n+\u001b[31mred\u202e\n');
});

it('gypsum diff says how to write a folder', async () => {
  const rig = await createRig(seed);
  expect(await run(rig, 'diff', 'clone')).toMatchObject({ code: 2, stderr: expect.stringContaining('./clone') });
});

it('gypsum export says what was made, and how it differs from the version', async () => {
  const rig = await createRig(seed);
  const clone = join(rig.folder, 'clone');
  await run(rig, 'clone', 'p/a/v1', clone, '--no-download');
  const dest = join(rig.folder, 'dest');
  expect(await run(rig, 'export', clone, dest)).toMatchObject({ code: 5, stdout: '' });
  expect(await run(rig, 'export', clone, dest, '--fetch', '--quiet')).toEqual({
    code: 0,
    stdout: `Exported ${clone} to ${dest}: 2 files, 5 B; all files as in p/a/v1.\n`,
    stderr: '',
  });
  await rm(join(clone, 'x.txt'));
  await writeFile(join(clone, 'x.txt'), 'new\n');
  expect(await run(rig, 'export', clone, `${dest}.tar`)).toMatchObject({
    code: 0,
    stdout: `Exported ${clone} to ${dest}.tar: 2 files, 7 B; since p/a/v1: 1 file modified (4 B).\n`,
  });
  expect(await run(rig, 'export', clone, dest)).toMatchObject({ code: 15 });
  expect(JSON.parse((await run(rig, 'export', clone, `${dest}2`, '--json')).stdout)).toMatchObject({
    destination: `${dest}2`,
    changes: { unchanged: { files: 1, bytes: 3 } },
  });
});
