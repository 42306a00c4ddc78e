import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

function gypsum({ registry, cacheDir }: Rig, cwd: string, ...words: string[]) {
  const environment = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir };
  return startCli(words, environment, { cwd }).end();
}

it('gypsum diff, in a folder of a clone, gives a patch that git applies, and an exit code', async () => {
  const rig = await createRig({ versions: { 'p/a/v1': { 'x.txt': 'x\n', 'old/y.txt': 'yy\n' } } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, clone);
  await rm(join(clone, 'x.txt'));
  await writeFile(join(clone, 'x.txt'), 'new\n');
  await rename(join(clone, 'old/y.txt'), join(clone, 'y.txt'));
  const { code, stdout } = await gypsum(rig, join(clone, 'old'), 'diff', '--patch', '--exit-code');
  expect(code).toBe(1);
  const target = await rig.makeFolder('target', { 'x.txt': 'x\n' });
  await writeFile(join(rig.folder, 'x.patch'), stdout);
  await promisify(execFile)('git', ['apply', '../x.patch'], { cwd: target });
  expect(await readFile(join(target, 'x.txt'), 'utf8')).toBe('new\n');
});

it.each(['dest', 'dest.tar'])('gypsum export to %s leaves nothing after Ctrl-C', async (name) => {
  const rig = await createRig({ versions: { 'p/a/v1': { 'x.txt': 'x\n' } } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, clone);
  // It takes a while to be written, and no room before that.
  await writeFile(join(clone, 'large'), '');
  await truncate(join(clone, 'large'), 256 * 1024 * 1024);
  const out = await rig.makeFolder('out', {});
  const environment = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir };
  const running = startCli(['export', clone, join(out, name)], environment);
  while (readdirSync(out).length === 0 && running.child.exitCode === null) await setTimeout(1);
  running.child.kill('SIGINT');
  expect((await running.end()).code).toBe(130);
  expect(readdirSync(out)).toEqual([]);
});
