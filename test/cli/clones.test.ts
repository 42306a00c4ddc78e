import { existsSync, renameSync, rmSync } from 'node:fs';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callCli } from '../helpers/call-cli.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const FILES = { 'a.csv': '1', 'raw/b.bin': '22', 'raw/c.csv': '333' };
const seed = { versions: { 'p/a/v1': FILES, 'p/a/v2': { 'a.csv': '4' } } };

/** A rig with commands that run in it; `moveCache` has the next ones find it elsewhere. */
async function createShell() {
  const rig = await createRig(seed);
  let cacheDir = rig.cacheDir;
  const run = (...argv: string[]) => callCli([...argv, '--registry', rig.registry.url, '--cache', cacheDir]);
  const moveCache = () => {
    const before = cacheDir;
    cacheDir = `${cacheDir}-moved`;
    renameSync(before, cacheDir);
    return cacheDir;
  };
  const at = (name: string) => join(rig.folder, name);
  const clone = async (name: string, ...flags: string[]) => {
    expect((await run('clone', 'p/a/v1', at(name), ...flags)).code).toBe(0);
    return at(name);
  };
  return { ...rig, run, clone, at, moveCache };
}

describe('gypsum relink', () => {
  it('shows what it would do in few lines, and does it', async () => {
    const { run, clone, cacheDir: old, moveCache } = await createShell();
    const one = await clone('one');
    const now = moveCache();
    expect(await run('relink', one, '--dry-run')).toEqual({
      code: 0,
      stdout: [
        `${one} (symlink clone of p/a/v1): 3 links to change, 3 as in versions.`,
        `  ${old} -> ${now}: a.csv, raw/b.bin, raw/c.csv`,
        '',
      ].join('\n'),
      stderr: '',
    });
    expect((await run('relink', '--all')).stdout).toBe(
      `${one} (symlink clone of p/a/v1): 3 links changed, 3 as in versions.\n`,
    );
  });

  it('says which clones could not be found, and from where one was moved', async () => {
    const { run, clone, at } = await createShell();
    const [gone, there] = [await clone('gone'), await clone('there', '--mode', 'copy')];
    rmSync(gone, { recursive: true });
    renameSync(there, at('elsewhere'));
    expect((await run('relink', at('elsewhere'))).stdout).toContain(`of p/a/v1, moved from ${there}): 0 links changed`);
    expect((await run('relink', '--all')).stdout).toContain(`${gone}: left as it is. `);
  });

  it('says which links it leaves alone, and refuses a clone of another cache', async () => {
    const { run, clone, at, connect } = await createShell();
    const [mine, theirs] = [await clone('mine'), at('theirs')];
    await connect({ cacheDir: at('other') }).cloneVersion({ project: 'p', asset: 'a', version: 'v1' }, theirs);
    renameSync(join(theirs, 'a.csv'), join(mine, 'b.csv'));
    expect((await run('relink', mine)).stdout).toContain(`\n  1 link left alone: ${at('other')} is there, `);
    const refused = await run('relink', theirs);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(`(--cache ${at('other')})`)]);
  });

  it('believes --as where nothing else says what a folder is', async () => {
    const { run, clone, cacheDir } = await createShell();
    const copy = await clone('copy', '--mode', 'copy');
    rmSync(join(cacheDir, '.gypsum-client/1/clones'), { recursive: true });
    expect((await run('relink', copy)).stderr).toContain('--as PROJECT/ASSET/VERSION');
    expect((await run('relink', copy, '--as', 'p/a/v1')).stdout).toContain('(copy clone of p/a/v1): 0 links');
    expect((await run('relink', '--all', '--as', 'p/a/v1')).code).toBe(2);
  });
});

describe('gypsum fetch and drop', () => {
  it('bring what links lead to, and let it go', async () => {
    const { run, clone, cacheDir } = await createShell();
    const one = await clone('one', '--include', 'a.csv');
    expect(await run('fetch', one)).toEqual({
      code: 0,
      stdout: 'In the cache: 3 files, 6 B; fetched 5 B.\n',
      stderr: '',
    });
    expect((await run('drop', join(one, 'raw'))).stdout).toBe('Dropped 2 files, 5 B; freed 5 B.\n');
    expect(existsSync(join(cacheDir, 'bucket/p/a/v1/raw'))).toBe(false);
    await clone('two');
    const refused = await run('drop', join(one, 'a.csv'));
    expect(refused).toMatchObject({ code: 16, stderr: expect.stringContaining('give its paths in each of them') });
    expect((await run('drop', join(one, 'a.csv'), '--force')).stdout).toBe('Dropped 1 file, 1 B; freed 1 B.\n');
  });

  it('make files of links in a clone of files, and links of files', async () => {
    const { run, clone, cacheDir } = await createShell();
    const one = await clone('one', '--mode', 'copy', '--exclude', 'raw');
    expect((await run('fetch', join(one, 'raw'))).stdout).toBe(
      'In the cache: 2 files, 5 B; fetched 5 B.\nMade of links, as all else in the clone: 2 files, 5 B.\n',
    );
    expect(await readTree(one)).toEqual(FILES);
    await run('drop', join(one, 'raw/b.bin'));
    expect(await readTree(one)).toEqual({ ...FILES, 'raw/b.bin': `-> ${join(cacheDir, 'bucket/p/a/v1/raw/b.bin')}` });
  });
});

it('what was moved aside stays until --damaged is said; --overwrite asks for all anew', async () => {
  const { run, clone, cacheDir, registry } = await createShell();
  const one = await clone('one');
  await chmod(join(one, 'a.csv'), 0o644);
  await writeFile(join(one, 'a.csv'), 'edited');
  const damaged = () => readdir(join(cacheDir, '.gypsum-client/1/damaged'));
  expect((await run('save', 'p/a/v1')).stderr).toContain('If that was an edit of yours, take it from there.');
  await run('cache', 'prune');
  expect(await damaged()).toHaveLength(1);
  expect((await run('cache', 'prune', '--damaged')).stdout).toContain('1 thing moved aside: 6 B.');
  expect(await damaged()).toEqual([]);
  registry.resetCalls();
  await run('save', 'p/a/v1', '--overwrite');
  expect(registry.count()).toBe(5);
});
