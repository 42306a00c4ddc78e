import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disconnected, status } from '../../mocks/index.ts';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { withLock } from '../../src/cache/locks.ts';
import { parseVersionRef } from '../../src/index.ts';
import { ownedName } from '../../src/owned-name.ts';
import { createRig, md5, readTree } from '../helpers/rig.ts';

const FILES = { a: 'content of a', 'sub/b': 'content of b', 'sub/c': 'content of b' };
const seed = { versions: { 'p/a/v1': FILES, 'p/a/v2': { a: 'content of a', d: 'content of d' } } };
const [V1, V2] = ['p/a/v1', 'p/a/v2'].map(parseVersionRef) as [never, never];

/** A cache with two versions that share a content, and a clone of each. */
async function filled() {
  const rig = await createRig(seed);
  const layout = createLayout(rig.cacheDir);
  await rig.client.cloneVersion(V1, join(rig.folder, 'one'));
  await rig.client.cloneVersion(V2, join(rig.folder, 'two'));
  rig.registry.resetCalls();
  const bucket = (path: string) => join(layout.bucket, path);
  const blob = (content: string) => layout.blob('p', { algorithm: 'md5', hex: md5(content) });
  const edit = (path: string, content: string) => {
    chmodSync(path, 0o644);
    writeFileSync(path, content);
  };
  const put = (path: string, content: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  const faults = async (deep = false) =>
    (await rig.client.verifyCache([], { deep })).problems.map(({ fault, path }) => [fault, path]);
  return { ...rig, layout, bucket, blob, edit, put, faults };
}

type Filled = Awaited<ReturnType<typeof filled>>;

describe('a cache as it must be', () => {
  it('has no problems, and that is found out without a request', async () => {
    const { client, registry } = await filled();
    for (const deep of [false, true]) {
      expect(await client.verifyCache([], { deep })).toEqual({
        versions: 2,
        files: 5,
        bytes: 60,
        unknown: [],
        problems: [],
      });
    }
    expect(await client.verifyCache([V2])).toMatchObject({ versions: 1, files: 2, problems: [] });
    expect(registry.calls).toEqual([]);
  });

  it.each<[string, (rig: Filled) => unknown]>([
    ['a version that was cloned without its files', (rig) => rig.connect().cloneVersion(V1, join(rig.folder, 'three'))],
    ['other clients’ documents', ({ put, bucket }) => put(bucket('p/a/v1/sub/..links'), '{}')],
    ['another client’s lock', ({ put, cacheDir }) => put(join(cacheDir, 'status/p/a/v1/LOCK'), '')],
    ['an empty folder', ({ bucket }) => mkdirSync(bucket('p/a/v1/empty/er'), { recursive: true })],
    [
      'a version that was moved to another disk',
      ({ bucket, folder }) => {
        renameSync(bucket('p/a/v1'), join(folder, 'elsewhere'));
        symlinkSync(join(folder, 'elsewhere'), bucket('p/a/v1'));
      },
    ],
    ['what is being fetched at this moment', ({ put, layout }) => put(layout.incoming('x'), 'half')],
    [
      'what another client has fetched',
      async ({ client, bucket }) => {
        await client.removeCached([V2], { force: true });
        await client.saveVersion(V2);
        rmSync(bucket('p/a/v2/d'));
        writeFileSync(bucket('p/a/v2/d'), 'content of d');
      },
    ],
  ])('may have %s', async (_what, arrange) => {
    const rig = await filled();
    await arrange(rig);
    expect(await rig.faults()).toEqual([]);
    expect(await rig.faults(true)).toEqual([]);
  });

  it('is not written to', async () => {
    const { client, cacheDir } = await filled();
    const before = await readTree(cacheDir);
    await client.verifyCache([], { deep: true });
    expect(Object.keys(await readTree(cacheDir))).toEqual(Object.keys(before));
  });

  it('reads no file that was not touched; deep, it reads them all', async () => {
    const { client, layout, bucket, edit, faults, folder } = await filled();
    const path = bucket('p/a/v2/d');
    edit(path, 'CONTENT OF D');
    chmodSync(path, 0o444);
    // As if it had been verified so: no reading, no difference.
    const prints = await openFingerprints(layout, 'p', [md5('content of d')]);
    prints.remember(md5('content of d'), path, lstatSync(path));
    await prints.flush();
    expect(await faults()).toEqual([]);
    expect(await client.saveVersion(V2)).toMatchObject({ fetched: { contents: 0 } });
    expect(await client.verifyCache([V2], { deep: true })).toMatchObject({
      problems: [
        {
          fault: 'wrong-content',
          path,
          clones: [join(folder, 'two/d')],
          message: `has not the MD5 ${md5('content of d')}`,
        },
      ],
    });
    const { problems } = await client.verifyCache([V2], { deep: true, repair: true });
    expect(problems).toMatchObject([{ repaired: true, movedTo: expect.any(String) }]);
    expect(readFileSync(path, 'utf8')).toBe('content of d');
    expect(await faults(true)).toEqual([]);
  });
});

describe('what is wrong', () => {
  const rows: [string, (rig: Filled) => unknown, (rig: Filled) => [string, string][]][] = [
    [
      'a file is missing',
      ({ bucket }) => unlinkSync(bucket('p/a/v1/sub/b')),
      ({ bucket }) => [['missing', bucket('p/a/v1/sub/b')]],
    ],
    [
      'a file is longer',
      ({ bucket, edit }) => edit(bucket('p/a/v2/d'), 'content of d, and more'),
      ({ bucket }) => [['wrong-content', bucket('p/a/v2/d')]],
    ],
    [
      'a file has other content',
      ({ bucket, edit }) => edit(bucket('p/a/v2/d'), 'CONTENT OF D'),
      ({ bucket }) => [['wrong-content', bucket('p/a/v2/d')]],
    ],
    [
      'a shared file was edited through a clone',
      ({ folder, edit }) => edit(join(folder, 'one/a'), 'MY EDIT'),
      ({ bucket }) => [
        ['wrong-content', bucket('p/a/v1/a')],
        ['wrong-content', bucket('p/a/v2/a')],
      ],
    ],
    [
      'a symlink stands for a file',
      ({ bucket, folder }) => {
        unlinkSync(bucket('p/a/v2/d'));
        symlinkSync(folder, bucket('p/a/v2/d'));
      },
      ({ bucket }) => [['wrong-type', bucket('p/a/v2/d')]],
    ],
    [
      'a folder stands for a file',
      ({ bucket, put }) => {
        unlinkSync(bucket('p/a/v2/d'));
        put(bucket('p/a/v2/d/x/y'), 'mine');
      },
      ({ bucket }) => [['wrong-type', bucket('p/a/v2/d')]],
    ],
    [
      'a file stands for a folder',
      ({ bucket, put }) => {
        rmSync(bucket('p/a/v1/sub'), { recursive: true });
        put(bucket('p/a/v1/sub'), 'mine');
      },
      ({ bucket }) => [['wrong-type', bucket('p/a/v1/sub')]],
    ],
    [
      'a symlink stands for a folder',
      ({ bucket, folder }) => {
        renameSync(bucket('p/a/v1/sub'), join(folder, 'sub'));
        symlinkSync(join(folder, 'sub'), bucket('p/a/v1/sub'));
      },
      ({ bucket }) => [['wrong-type', bucket('p/a/v1/sub')]],
    ],
    [
      'a file can be written to',
      ({ bucket }) => chmodSync(bucket('p/a/v2/d'), 0o644),
      ({ bucket }) => [['wrong-mode', bucket('p/a/v2/d')]],
    ],
    [
      'nothing is there of a version',
      ({ bucket }) => rmSync(bucket('p/a/v2'), { recursive: true }),
      ({ layout }) => [
        ['stale-document', layout.document(V2, 'summary')],
        ['stale-document', layout.document(V2, 'manifest')],
        ['unfounded-claim', layout.complete(V2)],
      ],
    ],
    [
      'nothing is known of a version',
      ({ layout, bucket }) => {
        rmSync(bucket('p/a/v2'), { recursive: true });
        rmSync(layout.records(V2), { recursive: true });
      },
      ({ layout }) => [['unfounded-claim', layout.complete(V2)]],
    ],
    [
      'a manifest cannot be read',
      ({ layout, put }) => put(layout.record(V1, 'manifest'), '{"a":'),
      ({ layout }) => [['invalid-document', layout.record(V1, 'manifest')]],
    ],
    [
      'a summary cannot be read',
      ({ layout, put }) => put(layout.record(V1, 'summary'), '[]'),
      ({ layout }) => [['invalid-document', layout.record(V1, 'summary')]],
    ],
    [
      'a manifest has no summary',
      ({ layout }) => unlinkSync(layout.record(V1, 'summary')),
      ({ layout }) => [['stale-document', layout.record(V1, 'manifest')]],
    ],
    [
      'the others’ manifest says something else',
      ({ layout, put }) => put(layout.document(V1, 'manifest'), '{}'),
      ({ layout }) => [['stale-document', layout.document(V1, 'manifest')]],
    ],
    [
      'a blob has other content',
      ({ blob, put }) => {
        unlinkSync(blob('content of d'));
        chmodSync(put(blob('content of d'), 'CONTENT'), 0o444);
      },
      ({ blob }) => [['wrong-content', blob('content of d')]],
    ],
    [
      'a blob is a folder’s link',
      ({ blob, folder }) => {
        unlinkSync(blob('content of d'));
        symlinkSync(folder, blob('content of d'));
      },
      ({ blob }) => [['wrong-type', blob('content of d')]],
    ],
  ];

  it.each(rows)('%s: it is found, left alone, and repaired when that is asked for', async (_what, damage, expected) => {
    const rig = await filled();
    await damage(rig);
    const found = expected(rig).sort();
    expect((await rig.faults()).sort()).toEqual(found);
    expect((await rig.faults(true)).sort()).toEqual(found);
    const { problems } = await rig.client.verifyCache([], { repair: true });
    expect(problems.map(({ fault, path, repaired }) => [fault, path, repaired]).sort()).toEqual(
      found.map((one) => [...one, true]),
    );
    expect(await rig.faults(true)).toEqual([]);
    expect(await readTree(rig.bucket('p/a/v1'))).toMatchObject(FILES);
    expect(await readTree(rig.bucket('p/a/v2'))).toMatchObject(seed.versions['p/a/v2']);
    expect(statSync(rig.bucket('p/a/v1/a')).mode & 0o777).toBe(0o444);
  });

  it('an edit is named with the files of clones that it was made in, and kept', async () => {
    const { client, folder, bucket, edit } = await filled();
    renameSync(join(folder, 'two'), join(folder, 'renamed'));
    edit(join(folder, 'renamed/a'), 'MY EDIT');
    const { problems } = await client.verifyCache([], { repair: true });
    expect(problems).toEqual(
      ['v1', 'v2'].map((version) => ({
        ref: { project: 'p', asset: 'a', version },
        path: bucket(`p/a/${version}/a`),
        file: 'a',
        fault: 'wrong-content',
        message: 'has 7 bytes, and must have 12',
        size: 7,
        clones: [join(folder, version === 'v1' ? 'one/a' : 'renamed/a')],
        repaired: true,
        movedTo: expect.stringContaining('/damaged/'),
      })),
    );
    for (const { movedTo = '' } of problems) expect(readFileSync(movedTo, 'utf8')).toBe('MY EDIT');
    expect(readFileSync(join(folder, 'renamed/a'), 'utf8')).toBe('content of a');
  });

  it('an edit that equal files show is kept once, and of each of them it is said where', async () => {
    const { client, folder, edit } = await filled();
    edit(join(folder, 'one/sub/b'), 'MY EDIT');
    const { problems } = await client.verifyCache([], { repair: true });
    expect(problems.map(({ file, repaired }) => [file, repaired])).toEqual([
      ['sub/b', true],
      ['sub/c', true],
    ]);
    const places = new Set(problems.map(({ movedTo = '' }) => movedTo));
    expect([...places].map((place) => readFileSync(place, 'utf8'))).toEqual(['MY EDIT']);
  });

  it('what no manifest knows is foreign: it is moved aside, when nobody can be writing to it', async () => {
    const { client, bucket, put, blob, faults } = await filled();
    const paths = [
      put(bucket('p/a/v1/mine'), 'mine'),
      put(bucket('p/stray'), 'stray'),
      put(`${blob('content of d')}0`, 'blob'),
    ];
    put(bucket('p/a/v1/folder/x/y'), 'many');
    put(bucket('p/a/v1/folder/z'), 'files');
    const expected = [...paths, bucket('p/a/v1/folder')].sort();
    expect((await faults()).sort()).toEqual(expected.map((path) => ['foreign', path]));
    const young = (await client.verifyCache([], { repair: true })).problems;
    const wait = /^It was written to \d s ago, and somebody may not be done with it: repair it again in (60|5\d) s\.$/;
    expect(young.map(({ repaired, reason }) => ({ repaired, reason }))).toEqual(
      Array.from({ length: 4 }, () => ({ repaired: false, reason: expect.stringMatching(wait) })),
    );
    expect(expected.every((path) => existsSync(path))).toBe(true);
    // What is said to be of a year to come has not been written just now either.
    for (const [at, path] of expected.entries()) utimesSync(path, at === 0 ? 4e9 : 1e9, 1e9 + at * 3e9);
    const { problems: later } = await client.verifyCache([], { repair: true });
    expect(later.map(({ path, movedTo = '' }) => [path, existsSync(movedTo)]).sort()).toEqual(
      expected.map((path) => [path, true]),
    );
    expect(later.find(({ path }) => path.endsWith('folder'))?.size).toBe(9);
    expect(await faults()).toEqual([]);
  });

  it('what a process has left behind that has ended is removed', async () => {
    const { client, layout, put, faults } = await filled();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    const left = put(layout.incoming(ownedName().replace(/^\d+\.\d*/, `${pid}.`)), 'half');
    const held = join(layout.lock(V2), 'held');
    mkdirSync(held, { recursive: true });
    put(join(layout.lock(V2), 'owner.json'), JSON.stringify({ host: hostname(), pid }));
    const widow = put(layout.cloneFiles('x'), '{}');
    const receipt = put(layout.receipt('x2'), '{}');
    // The leftover is too young yet.
    expect(await faults()).toEqual([
      ['invalid-document', receipt],
      ['stale-lock', layout.lock(V2)],
      ['stale-document', widow],
    ]);
    const { problems } = await client.verifyCache([], { repair: true });
    expect(problems.map(({ repaired }) => repaired)).toEqual([false, true, true]);
    expect([left, receipt, held, widow].map((path) => existsSync(path))).toEqual([true, true, false, false]);
    rmSync(receipt);
    expect(await faults()).toEqual([]);
  });

  it('a lock that is held, and one whose owner is on another machine, are left alone', async () => {
    const { layout, put, faults } = await filled();
    mkdirSync(join(layout.lock(V2), 'held'), { recursive: true });
    put(join(layout.lock(V2), 'owner.json'), JSON.stringify({ host: 'another', pid: 1 }));
    await withLock(layout, layout.lock(V1), async () => expect(await faults()).toEqual([]));
    utimesSync(join(layout.lock(V2), 'held'), 1e9, 1e9);
    expect(await faults()).toEqual([['stale-lock', layout.lock(V2)]]);
  });

  it('files of a version of which the cache has no manifest are named, and nothing is said against them', async () => {
    const { client, put, bucket } = await filled();
    put(bucket('p/a/v3/x'), 'x');
    expect(await client.verifyCache()).toMatchObject({
      versions: 2,
      unknown: [{ project: 'p', asset: 'a', version: 'v3' }],
      problems: [],
    });
  });

  it('a claim for a version that the registry does not have is taken back', async () => {
    const { client, put, layout, faults } = await filled();
    const claim = put(layout.complete({ ...(V1 as object), version: 'v9' } as never), '');
    expect(await faults()).toEqual([['unfounded-claim', claim]]);
    expect((await client.verifyCache([], { repair: true })).problems).toMatchObject([{ path: claim, repaired: true }]);
    expect(existsSync(claim)).toBe(false);
  });
});

describe('a repair', () => {
  it('needs no network for what the cache has: blobs are linked again', async () => {
    const { connect, registry, bucket, faults } = await filled();
    rmSync(bucket('p/a/v1'), { recursive: true });
    unlinkSync(bucket('p/a/v2/d'));
    registry.inject(disconnected());
    const { problems } = await connect({ retries: 0 }).verifyCache([], { repair: true });
    expect(problems.map(({ repaired }) => repaired)).toEqual([true, true, true, true]);
    expect(await faults(true)).toEqual([]);
    expect(registry.calls).toEqual([]);
  });

  it('without network leaves what it cannot replace in its place, says so, and tries to reach it once', async () => {
    const { connect, registry, bucket, edit, blob, folder } = await filled();
    edit(bucket('p/a/v2/d'), 'CONTENT OF D');
    edit(bucket('p/a/v1/sub/b'), 'CONTENT OF B');
    unlinkSync(bucket('p/a/v2/a'));
    unlinkSync(bucket('p/a/v1/a'));
    renameSync(blob('content of a'), join(folder, 'gone'));
    registry.inject(disconnected());
    const one = connect({ retries: 0, concurrency: 1 });
    const { problems } = await one.verifyCache([V1], { repair: true });
    expect(problems.map(({ file, repaired, movedTo }) => [file, repaired, movedTo])).toEqual([
      ['a', false, undefined],
      ['sub/b', false, undefined],
      ['sub/c', false, undefined],
    ]);
    expect(problems[0]?.reason).toContain('Fetching "p/a/v1/a" failed');
    expect(registry.calls).toHaveLength(1);
    expect(readFileSync(bucket('p/a/v1/sub/b'), 'utf8')).toBe('CONTENT OF B');
  });

  it('goes on with the rest where the registry does not have one of them', async () => {
    const { client, registry, bucket, edit, faults } = await filled();
    edit(bucket('p/a/v2/d'), 'CONTENT OF D');
    edit(bucket('p/a/v2/a'), 'CONTENT OF A');
    registry.inject(status(404), { key: 'p/a/v2/d' });
    const { problems } = await client.verifyCache([V2], { repair: true });
    expect(problems.map(({ file, repaired }) => [file, repaired]).sort()).toEqual([
      ['a', true],
      ['d', false],
    ]);
    expect((await faults()).map(([fault]) => fault)).toEqual(['wrong-content', 'wrong-content']);
  });

  it('fetches a content once that several files have', async () => {
    const { client, registry, bucket, edit } = await filled();
    edit(bucket('p/a/v1/sub/b'), 'CONTENT OF B');
    await client.verifyCache([], { repair: true });
    expect(registry.calls).toHaveLength(1);
  });

  it('can be stopped', async () => {
    const { client, bucket, edit } = await filled();
    edit(bucket('p/a/v1/a'), 'CONTENT OF A');
    const stop = new AbortController();
    const reason = new Error('enough');
    const onProblem = () => stop.abort(reason);
    await expect(client.verifyCache([], { onProblem, signal: stop.signal })).rejects.toBe(reason);
  });

  it('tells how far it is', async () => {
    const { client, events, watch } = await filled();
    await client.verifyCache([], watch);
    const started = events.flatMap((event) => (event.type === 'start' ? [event] : []));
    const done = events.flatMap((event) => (event.type === 'progress' ? [event] : []));
    expect(started.map(({ task, files, bytes }) => [task, files, bytes])).toEqual([
      ['verify', 3, 36],
      ['verify', 2, 24],
      ['verify', 3, 0],
    ]);
    expect(done.reduce((sum, { files }) => sum + files, 0)).toBe(8);
    expect(events.filter(({ type }) => type === 'end')).toHaveLength(3);
  });
});
