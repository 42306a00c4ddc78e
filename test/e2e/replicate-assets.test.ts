import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { delay } from '../../mocks/index.ts';
import { startCli } from '../helpers/cli.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

async function createWorld() {
  const rig = await createRig({ projects: { p: {} } });
  const { registry, cacheDir, stateDir, folder } = rig;
  layOut(join(folder, 'src'), { 'd/a': 'one', 'd/b': 'two', c: 'three', empty: 'folder/', l: { link: 'd/a' } });
  const start = (...argv: string[]) =>
    startCli(
      argv,
      {
        GYPSUM_URL: registry.url,
        GYPSUM_TOKEN: registry.token,
        GYPSUM_CACHE_DIR: cacheDir,
        GYPSUM_STATE_DIR: stateDir,
        GYPSUM_CONFIG_DIR: join(folder, 'config'),
      },
      { cwd: folder },
    );
  return {
    ...rig,
    src: join(folder, 'src'),
    dst: join(folder, 'dst'),
    start,
    run: (...argv: string[]) => start(...argv).end(),
  };
}

describe('gypsum sync', () => {
  it('publishes a folder to an asset, and brings an asset to a folder', async () => {
    const { run, src, dst, folder } = await createWorld();
    const published = await run('sync', 'src', 'gypsum:p/a', '--log', 'log');
    expect(published).toMatchObject({ code: 0, stderr: '' });
    expect(published.stdout).toContain('Published p/a/1: 6 added; sent 3');
    expect((await run('sync', 'src', 'gypsum:p/a')).stdout).toBe(
      'Nothing has changed since p/a/1; nothing was published.\n',
    );
    expect(readFileSync(join(folder, 'log'), 'utf8')).toMatch(
      /: create f97c5d29941bfb1b2fdab0874906ab82 -> d\/a\n(.*\n)+.*: publish - -> gypsum:p\/a\/1\n$/,
    );
    expect((await run('sync', 'gypsum:p/a', 'dst')).stdout).toBe(
      '6 changes: 3 created, 2 made, 1 linked, 0 unchanged\n',
    );
    expect(treeShape(dst)).toEqual(treeShape(src));
    expect((await run('sync', 'gypsum:p/a/1', 'dst')).stdout).toMatch(/^0 changes: 6 unchanged\n$/);
    const json = JSON.parse((await run('sync', 'gypsum:p/a', 'dst', '--json', '--dry-run')).stdout);
    expect(json).toMatchObject({ source: 'gypsum:p/a', operations: [] });
    renameSync(join(src, 'd'), join(src, 'e'));
    await run('sync', 'src', 'gypsum:p/a');
    expect((await run('sync', 'gypsum:p/a', 'dst')).stdout).toContain('1 moved');
    expect(treeShape(dst)).toEqual(treeShape(src));
  });
});

describe('gypsum replicate', () => {
  it('is a time machine for a folder, also after a kill in the middle of an upload', async () => {
    const { start, src, client, registry } = await createWorld();
    const argv = ['replicate', 'src', 'gypsum:p/a', '--every', '20ms', '--settle', '100ms'];
    const first = start(...argv);
    const latest = async () => (await client.fetchLatest({ project: 'p', asset: 'a' })).version;
    await expect.poll(latest, { timeout: 20_000 }).toBe('1');
    // It dies when the first file is to be sent: the project stays locked.
    registry.inject(
      async (_, next) => {
        first.child.kill('SIGKILL');
        return next();
      },
      { route: 'put', times: 1 },
    );
    writeFileSync(join(src, 'c'), 'another');
    expect(await first.end()).toMatchObject({ code: 'SIGKILL' });
    expect((await client.listUploads()).uploads).toMatchObject([{ version: '2', state: 'interrupted' }]);
    writeFileSync(join(src, 'd/b'), 'other');
    const second = start(...argv);
    await expect.poll(latest, { timeout: 20_000 }).toBe('2');
    second.child.kill('SIGINT');
    expect(await second.end()).toMatchObject({ code: 0, stderr: '' });
    expect((await client.listUploads()).uploads).toEqual([]);
    await client.getTree({ project: 'p', asset: 'a', version: '2' }, `${src}-2`);
    expect(treeShape(`${src}-2`)).toEqual(treeShape(src));
  });

  it('is looked back at by the log, and by a clone of any moment', async () => {
    const { start, run, src, folder } = await createWorld();
    const kept = start('replicate', 'src', 'gypsum:p/a', '--every', '500ms', '--settle', '1s');
    while (!(await kept.line()).startsWith('Published p/a/1'));
    writeFileSync(join(src, 'c'), 'another');
    rmSync(join(src, 'd/b'));
    while (!(await kept.line()).startsWith('Published p/a/2'));
    kept.child.kill('SIGTERM');
    expect(await kept.end()).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await run('log', 'p/a');
    expect(stdout).toMatch(/^p\/a\/2 \(latest\) .*\n.*\np\/a\/1 /);
    for (const moment of ['1', '2']) await run('clone', `p/a/${moment}`, `as-${moment}`);
    const at = (path: string) => readFileSync(join(folder, path), 'utf8');
    expect([at('as-1/c'), at('as-1/d/b'), at('as-2/c')]).toEqual(['three', 'two', 'another']);
    expect(readdirSync(join(folder, 'as-2/d'))).toEqual(['a']);
  });

  it('gives up what it publishes when it is told to end, with 0, and leaves nothing of it', async () => {
    const { start, client, registry } = await createWorld();
    const kept = start('replicate', 'src', 'gypsum:p/a', '--every', '20ms', '--settle', '20ms');
    registry.inject(
      (request, next) => {
        kept.child.kill('SIGINT');
        return delay(600_000)(request, next);
      },
      { route: 'put', times: 1 },
    );
    expect(await kept.end()).toMatchObject({ code: 0, stdout: '' });
    expect((await client.listUploads()).uploads).toEqual([]);
    expect(await client.listVersions({ project: 'p', asset: 'a' })).toEqual([]);
    // The project is free.
    await client.startUpload({ project: 'p', asset: 'b', version: '1' }, []);
  });

  it('follows an asset, and ends with 0', async () => {
    const { start, run, src, dst } = await createWorld();
    await run('sync', 'src', 'gypsum:p/a');
    const kept = start('replicate', 'gypsum:p/a', 'dst', '--every', '50ms');
    expect(await kept.line()).toBe('6 changes: 3 created, 2 made, 1 linked, 0 unchanged');
    writeFileSync(join(src, 'c'), 'another');
    await run('sync', 'src', 'gypsum:p/a');
    expect(await kept.line()).toContain('1 modified');
    expect(treeShape(dst)).toEqual(treeShape(src));
    kept.child.kill('SIGTERM');
    expect(await kept.end()).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('gypsum schedule', () => {
  it('runs jobs that publish to an asset, and follow one', async () => {
    const { run, src, dst } = await createWorld();
    await run('schedule', 'add', 'publish', '--every', '1h', '--', 'sync', 'src', 'gypsum:p/a');
    await run('schedule', 'add', 'follow', '--every', '1h', '--', 'sync', 'gypsum:p/a', 'dst');
    for (const job of ['publish', 'follow']) {
      expect(await run('schedule', 'run', '--job', job)).toMatchObject({ code: 0 });
    }
    expect(treeShape(dst)).toEqual(treeShape(src));
  });
});
