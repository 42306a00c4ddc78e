import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { formatTreeRecord, TREE_RECORD } from '../../src/model/tree-record.ts';
import { readFixture, versionFiles } from '../helpers/fixture-tree.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };

/** A version with symlinks, an empty folder and an executable. */
const FILES = {
  'run.sh': 'run',
  'sub/file': 'file',
  [TREE_RECORD]: formatTreeRecord({
    entries: [
      { type: 'symlink', path: 'broken', target: 'nothing', targetType: 'unknown' },
      { type: 'directory', path: 'empty', mode: 0o755 },
      { type: 'file', path: 'run.sh', mode: 0o755 },
      { type: 'directory', path: 'sub', mode: 0o755 },
      { type: 'symlink', path: 'sub/up', target: '../run.sh', targetType: 'file' },
    ],
  }),
};

async function createClone(options: { mode?: 'symlink' | 'copy' | 'hardlink'; download?: boolean } = {}) {
  const rig = await createRig({ versions: { 'p/a/v1': FILES } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, options);
  return { ...rig, clone, at: (path: string) => join(clone, path) };
}

const KINDS = [{ mode: 'symlink' }, { mode: 'copy' }, { mode: 'hardlink' }, { download: false }] as const;

describe('a clone of a version with symlinks', () => {
  it.each(KINDS)('is clean when it is fresh, and unchanged: %o', async (options) => {
    const { client, clone } = await createClone(options);
    const status = await client.cloneStatus(clone);
    const isLinked = !('download' in options);
    expect(status).toMatchObject({ clean: true, publishing: { send: { files: 0 }, link: { files: 2 }, refused: [] } });
    expect(status.states.linked).toEqual({ files: isLinked ? 4 : 2, bytes: isLinked ? 7 : 0 });
    expect(status.entries.map(({ state }) => state)).toEqual(isLinked ? [] : ['dangling', 'dangling']);
    const plan = await client.planUpload(V2, clone);
    expect(plan).toMatchObject({ files: [], unchangedSince: V1 });
    expect(plan).not.toHaveProperty('record');
  });

  it('is clean with every kind of symlink, and unchanged', async () => {
    const rig = await createRig({ versions: { 'p/a/v1': versionFiles(readFixture('test_symlinks')) } });
    const clone = join(rig.folder, 'clone');
    await rig.client.cloneVersion(V1, clone);
    expect(await rig.client.cloneStatus(clone)).toMatchObject({ clean: true, states: { linked: { files: 20 } } });
    expect((await rig.client.prepareDirectoryUpload(clone)).links).toHaveLength(5);
  });

  it('keeps its symlinks also where the manifest names the record with escapes', async () => {
    const { client, cacheDir, clone } = await createClone();
    const manifest = createLayout(cacheDir).record(V1, 'manifest');
    const text = readFileSync(manifest, 'utf8');
    const escaped = text.replace(`"${TREE_RECORD}"`, `"\\u002e${TREE_RECORD.slice(1)}"`);
    expect(escaped).not.toBe(text);
    rmSync(manifest);
    writeFileSync(manifest, escaped);

    const { record, links } = await client.prepareDirectoryUpload(clone);

    expect(links).toHaveLength(2);
    expect(record?.entries.filter(({ type }) => type === 'symlink')).toHaveLength(2);
  });

  const path = (path: string, state: string, rest: object = {}) => ({ path, state, size: 0, ...rest });
  const link = (name: string, state: string, target: string) => path(name, state, { type: 'symlink', target });

  it.each<[string, (at: (path: string) => string) => void, object[]]>([
    ['a symlink leads elsewhere', (at) => relink(at('broken'), 'other'), [link('broken', 'retargeted', 'other')]],
    ['a symlink was made', (at) => symlinkSync('run.sh', at('new')), [link('new', 'added', 'run.sh')]],
    ['a symlink was removed', (at) => rmSync(at('broken')), [path('broken', 'deleted', { type: 'symlink' })]],
    ['a symlink is a file', (at) => refile(at('broken'), 'text'), [{ path: 'broken', state: 'modified', size: 4 }]],
    [
      'a symlink is a folder',
      (at) => [rmSync(at('broken')), mkdirSync(at('broken'))],
      [path('broken', 'modified', { type: 'directory' })],
    ],
    ['a file is a symlink', (at) => relink(at('run.sh'), 'sub/file'), [link('run.sh', 'modified', 'sub/file')]],
    [
      'a file is an empty folder',
      (at) => [rmSync(at('run.sh')), mkdirSync(at('run.sh'))],
      [path('run.sh', 'modified', { type: 'directory' })],
    ],
    [
      'an empty folder is a symlink',
      (at) => [rmSync(at('empty'), { recursive: true }), symlinkSync('sub', at('empty'))],
      [link('empty', 'modified', 'sub')],
    ],
    [
      'a folder is a symlink',
      (at) => [rmSync(at('sub'), { recursive: true }), symlinkSync('empty', at('sub'))],
      [
        link('sub', 'added', 'empty'),
        { path: 'sub/file', state: 'deleted', size: 4 },
        path('sub/up', 'deleted', { type: 'symlink' }),
      ],
    ],
    ['an empty folder was made', (at) => mkdirSync(at('new')), [path('new', 'added', { type: 'directory' })]],
    [
      'an empty folder was removed',
      (at) => rmSync(at('empty'), { recursive: true }),
      [path('empty', 'deleted', { type: 'directory' })],
    ],
    [
      'an empty folder is not empty any more',
      (at) => writeFileSync(at('empty/new'), 'new'),
      [{ path: 'empty/new', state: 'added', size: 3 }],
    ],
    [
      'a folder is empty now',
      (at) => [rmSync(at('sub/file')), rmSync(at('sub/up'))],
      [{ path: 'sub/file', state: 'deleted', size: 4 }, path('sub/up', 'deleted', { type: 'symlink' })],
    ],
    [
      'a file has another mode',
      (at) => [refile(at('run.sh'), 'run'), chmodSync(at('run.sh'), 0o644)],
      [{ path: 'run.sh', state: 'modified', size: 3, mode: 0o644 }],
    ],
    [
      'a folder has another mode',
      (at) => chmodSync(at('sub'), 0o700),
      [path('sub', 'modified', { type: 'directory', mode: 0o700 })],
    ],
  ])('says that %s, and publishes it', async (_what, change, expected) => {
    const { client, clone, at } = await createClone();
    change(at);
    const { entries, clean } = await client.cloneStatus(clone);
    expect(entries).toEqual(expected);
    expect(clean).toBe(false);
    const plan = await client.planUpload(V2, clone);
    expect(plan).not.toHaveProperty('unchangedSince');
    await client.applyUpload(plan);

    const again = `${clone}-again`;
    await client.cloneVersion(V2, again);
    expect(await client.cloneStatus(again)).toMatchObject({ clean: true });
    expect((await client.planUpload({ ...V1, version: 'v3' }, again)).unchangedSince).toEqual(V2);
  });

  it('has what its symlinks lead to published where they are followed, and no record', async () => {
    const { client, clone, at } = await createClone();
    rmSync(at('broken'));
    await client.uploadDirectory(V2, clone, { symlinks: 'follow' });
    expect(Object.keys(await client.fetchManifest(V2))).toEqual(['run.sh', 'sub/file', 'sub/up']);
  });
});

function relink(place: string, target: string): void {
  rmSync(place);
  symlinkSync(target, place);
}

function refile(place: string, text: string): void {
  rmSync(place);
  writeFileSync(place, text);
}
