import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';
import { snapshot } from '../helpers/snapshot.ts';

it.each<[string, string[]]>([
  ['two assets', ['sync', 'gypsum:p/a', 'gypsum:p/b']],
  ['a version to publish to', ['sync', 'src', 'gypsum:p/a/1']],
  ['what is no asset', ['sync', 'gypsum:p', 'dst']],
  ['symlinks of a version that are to be followed', ['sync', 'gypsum:p/a', 'dst', '--follow-links']],
  ['contents of an asset that are to be compared', ['sync', 'src', 'gypsum:p/a', '--checksum']],
  ['an asset that is to be on the disk', ['replicate', 'src', 'gypsum:p/a', '--fsync']],
  ['a rest between folders', ['replicate', 'src', 'dst', '--settle', '5s']],
  ['a rest of an asset', ['replicate', 'gypsum:p/a', 'dst', '--settle', '5s']],
  ['an asset that is to be empty', ['replicate', 'src', 'gypsum:p/a', '--require-empty']],
  ['a log in the folder that is published', ['replicate', 'src', 'gypsum:p/a', '--log', 'src/log']],
  ['a log in the folder that follows', ['sync', 'gypsum:p/a', 'dst', '--log', 'dst/log']],
  ['the cache for a replica', ['sync', 'gypsum:p/a', 'cache']],
])('gypsum refuses %s before anything is written', async (_, [command = '', ...words]) => {
  const { registry, folder, cacheDir } = await createRig({ projects: { p: {} } });
  layOut(folder, { src: 'folder/', dst: 'folder/', cache: 'folder/' });
  const before = snapshot(folder);
  const log = words.includes('--log') ? [] : ['--log', 'journal'];
  const argv = [...words, ...log].map((word) =>
    /^[a-z]/.test(word) && !word.includes(':') ? join(folder, word) : word,
  );
  const called = await callCli([command, ...argv, '--registry', registry.url, '--cache', cacheDir]);
  expect(called).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^gypsum: .+\n.+/) });
  expect(snapshot(folder)).toEqual(before);
  expect(registry.calls).toEqual([]);
});

it('gypsum replicate says where an edit of the cache is that it does not follow', async () => {
  const { registry, client, folder, cacheDir } = await createRig({ versions: { 'p/a/1': { x: 'one' } } });
  const cached = await client.saveFile({ project: 'p', asset: 'a', version: '1', path: 'x' });
  chmodSync(cached, 0o644);
  writeFileSync(cached, 'an edit');
  const [stop, dst] = [new AbortController(), join(folder, 'dst')];
  const argv = ['replicate', 'gypsum:p/a', dst, '--registry', registry.url, '--cache', cacheDir];
  const called = callCli(argv, { signal: stop.signal });
  await expect.poll(() => existsSync(join(dst, 'x')), { timeout: 20_000 }).toBe(true);
  stop.abort();
  const { code, stderr } = await called;
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^The cached p\/a\/1:\/x had been changed; it was moved to .+\n$/),
  });
  expect(readFileSync(join(dst, 'x'), 'utf8')).toBe('one');
});
