import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isSystemError } from '../../src/errors.ts';
import type { CloneMode } from '../../src/index.ts';
import { startCli } from '../helpers/cli.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const CONTENT = 'x'.repeat(50_000);
const COUNT = 2_000;
const many = Object.fromEntries(Array.from({ length: COUNT }, (_, at) => [`d${at % 7}/f${at}`, { link: 'p/a/v1:/x' }]));
const seed = { versions: { 'p/a/v1': { x: CONTENT }, 'p/a/many': many } };

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
};

it.each<[CloneMode]>([['copy'], ['hardlink'], ['symlink']])(
  'a clone (%s) that is killed in the middle has no half file, and a receipt that says no more than is true',
  async (mode) => {
    const rig = await createRig(seed);
    await rig.client.saveVersion({ ...V1, version: 'many' });
    const clone = join(rig.folder, 'clone');
    const running = startCli(['clone', 'p/a/many', clone, '--mode', mode, '--quiet'], {
      GYPSUM_URL: rig.registry.url,
      GYPSUM_CACHE_DIR: rig.cacheDir,
    });
    while (running.child.exitCode === null && names(clone).length < 50) await setTimeout(1);
    running.child.kill('SIGKILL');
    await running.end();

    const left = names(clone).filter((name) => name.includes('..gypsum-'));
    expect(left.length).toBeLessThanOrEqual(1);
    const files = names(clone).filter((name) => /\/f\d+$/.test(name));
    for (const name of files) expect(readFileSync(join(clone, name), 'utf8') === CONTENT, name).toBe(true);
    // What was left is never published unseen.
    if (left.length > 0) {
      await expect(rig.client.prepareDirectoryUpload(clone)).rejects.toMatchObject({ code: 'invalid-tree' });
      for (const name of left) rmSync(join(clone, name));
    }
    const [receipt = ''] = readdirSync(join(rig.cacheDir, '.gypsum-client/1/clones'));
    const text = readFileSync(join(rig.cacheDir, '.gypsum-client/1/clones', receipt), 'utf8');
    expect(JSON.parse(text)).toMatchObject({ version: 'many', destination: clone, mode });
    expect((await rig.client.prepareDirectoryUpload(clone)).links).toHaveLength(files.length);

    const merged = await rig.client.cloneVersion({ ...V1, version: 'many' }, clone, { merge: true });
    expect(merged).toMatchObject({ mode, conflicts: [], links: { unchanged: files.length } });
    expect(await rig.client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: COUNT } });
  },
  60_000,
);
