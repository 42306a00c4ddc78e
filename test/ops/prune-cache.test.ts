import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { withLock } from '../../src/cache/locks.ts';
import { parseVersionRef } from '../../src/index.ts';
import { entriesBelow } from '../helpers/entries-below.ts';
import { createRig } from '../helpers/rig.ts';

const seed = {
  versions: {
    'p/a/v1': { one: '1', two: '22' },
    'p/a/v2': { one: '1', three: '333' },
    'p/b/v1': { four: '4444' },
    'q/a/v1': { five: '55555' },
  },
};

const [V1, V2, B1, Q1] = Object.keys(seed.versions).map(parseVersionRef) as [never, never, never, never];

/** A cache that has everything; each version was used on a day of its own, in this order. */
async function filled() {
  const rig = await createRig(seed);
  const bucket = (path: string) => join(rig.cacheDir, 'bucket', path);
  for (const [at, ref] of Object.keys(seed.versions).entries()) {
    await rig.client.saveVersion(parseVersionRef(ref));
    utimesSync(bucket(ref), 1e9 + at, 1e9 + at);
  }
  rig.registry.resetCalls();
  const own = (path: string) => join(rig.cacheDir, '.gypsum-client/1', path);
  const blobs = () =>
    existsSync(own('blobs')) ? entriesBelow(own('blobs')).filter((entry) => entry.isFile()).length : 0;
  const there = async () => (await rig.client.listCache()).map((ref) => `${ref.project}/${ref.asset}/${ref.version}`);
  return { ...rig, layout: createLayout(rig.cacheDir), bucket, own, blobs, there, clone: join(rig.folder, 'clone') };
}

/** Makes blobs and leftovers as old as they must be to be nobody's. */
function age(path: string) {
  for (const entry of entriesBelow(path)) {
    if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), 1e9, 1e9);
  }
}

describe('pruneCache', () => {
  it('removes no version that was not asked for', async () => {
    const { client, there } = await filled();
    expect(await client.pruneCache()).toEqual({
      versions: [],
      kept: [],
      blobs: [],
      leftovers: [],
      damaged: [],
      trash: [],
      forgotten: [],
      freed: 0,
      stored: 15,
      dryRun: false,
    });
    expect(await there()).toHaveLength(4);
  });

  it('removes what no clone needs, with its records, mark and contents; what others share stays', async () => {
    const { client, clone, bucket, own, cacheDir, blobs, there, registry } = await filled();
    await client.cloneVersion(V1, clone);
    const before = await client.pruneCache({ unused: true, dryRun: true });
    expect(await there()).toHaveLength(4);
    const result = await client.pruneCache({ unused: true });
    expect(result).toEqual({ ...before, dryRun: false });
    expect(result).toMatchObject({
      versions: [
        { ...(V2 as object), files: 2, bytes: 4, lastUsed: new Date(1e12 + 1000) },
        { ...(B1 as object), files: 1 },
        Q1,
      ],
      kept: [
        { ...(V1 as object), files: 2, bytes: 3, keptBy: [{ type: 'clone', destination: clone, state: 'found' }] },
      ],
      freed: 12,
      stored: 3,
    });
    expect(await there()).toEqual(['p/a/v1']);
    expect(readFileSync(join(clone, 'one'), 'utf8')).toBe('1');
    for (const path of [bucket('q'), bucket('p/a/v2'), own('versions/q'), join(cacheDir, 'status/p/b')]) {
      expect(existsSync(path)).toBe(false);
    }
    expect(blobs()).toBe(2);
    expect(readdirSync(own('incoming'))).toEqual([]);
    expect(registry.calls).toEqual([]);
    await client.saveVersion(V2);
    expect(registry.count({ key: /three$/ })).toBe(1);
    expect(registry.count({ key: /one$/ })).toBe(0);
  });

  it('removes what was not used for so long, and only in what it is given', async () => {
    const { client, there, bucket } = await filled();
    const now = Date.now() / 1000;
    utimesSync(bucket('p/a/v2'), now - 89 * 86_400, now - 89 * 86_400);
    await client.pruneCache({ olderThan: 90 * 86_400_000, scopes: [{ project: 'p' }] });
    expect(await there()).toEqual(['p/a/v2', 'q/a/v1']);
    await client.pruneCache({ scopes: [{ project: 'p', asset: 'a', version: 'v2' }] });
    expect(await there()).toEqual(['q/a/v1']);
  });

  it.each([
    [15, []],
    [14, ['p/a/v1']],
    [13, ['p/a/v1']],
    [12, ['p/a/v1', 'p/a/v2']],
    [0, ['p/a/v1', 'p/a/v2', 'p/b/v1', 'q/a/v1']],
  ])('comes down to %d bytes with what was used last', async (maxSize, gone) => {
    const { client } = await filled();
    const { versions, stored } = await client.pruneCache({ maxSize });
    expect(versions.map((ref) => `${ref.project}/${ref.asset}/${ref.version}`)).toEqual(gone);
    expect(stored).toBeLessThanOrEqual(maxSize);
    expect((await client.measureCache()).stored).toBe(stored);
  });

  it('keeps what the links of a clone lead to, also where its receipt speaks of another version', async () => {
    const { client, clone, there, bucket } = await filled();
    await client.cloneVersion(V1, clone);
    await client.cloneVersion(V2, clone, { merge: true });
    mkdirSync(join(clone, 'sub'));
    symlinkSync(bucket('p/b'), join(clone, 'sub/all-of-b'));
    const { kept } = await client.pruneCache({ unused: true });
    expect(kept).toHaveLength(3);
    expect(await there()).toEqual(['p/a/v1', 'p/a/v2', 'p/b/v1']);
  });

  it('does not keep the files of a version for copies, but what it takes to publish them', async () => {
    const { client, clone, there, registry, folder } = await filled();
    await client.cloneVersion(V1, clone, { mode: 'copy' });
    await client.cloneVersion(V2, join(folder, 'hard'), { mode: 'hardlink' });
    const { versions, kept } = await client.pruneCache({ scopes: [{ project: 'p', asset: 'a' }] });
    expect({ versions, kept }).toMatchObject({ versions: [V1], kept: [V2] });
    expect(await there()).toContain('p/a/v1');
    registry.resetCalls();
    expect((await client.prepareDirectoryUpload(clone)).links).toHaveLength(2);
    expect(registry.calls).toEqual([]);
  });

  it('leaves copies that can be edited and published as cheaply as before', async () => {
    const { client, clone, bucket } = await filled();
    await client.cloneVersion(V1, clone, { mode: 'copy' });
    const { versions } = await client.pruneCache({ unused: true });
    expect(versions).toContainEqual(expect.objectContaining({ ...(V1 as object), copies: [clone] }));
    expect(existsSync(bucket('p/a/v1'))).toBe(false);
    writeFileSync(join(clone, 'two'), 'edited');
    const V3 = { project: 'p', asset: 'a', version: 'v3' };
    const { sent, linked } = await client.uploadDirectory(V3, clone, { deduplicate: false });
    expect({ sent, linked }).toEqual({ sent: { files: 1, bytes: 6 }, linked: { files: 1, bytes: 1 } });
    expect((await client.fetchManifest(V3)).one?.link).toMatchObject(V1);
  });

  it('finds a clone that was renamed; keeps what one needs that cannot be found, until that is let go', async () => {
    const { client, clone, folder, there, own } = await filled();
    await client.cloneVersion(V1, clone);
    renameSync(clone, join(folder, 'renamed'));
    const found = await client.pruneCache({ unused: true, forgetMissing: true });
    expect(found.kept).toMatchObject([{ keptBy: [{ destination: join(folder, 'renamed'), state: 'found' }] }]);
    expect(found.forgotten).toEqual([]);
    mkdirSync(join(folder, 'far'));
    renameSync(join(folder, 'renamed'), join(folder, 'far/away'));
    const missing = await client.pruneCache({ unused: true });
    expect(missing.kept).toMatchObject([{ keptBy: [{ type: 'clone', destination: clone, state: 'missing' }] }]);
    expect(await there()).toEqual(['p/a/v1']);
    const forgotten = await client.pruneCache({ unused: true, forgetMissing: true });
    expect(forgotten).toMatchObject({ versions: [V1], kept: [], forgotten: [clone] });
    expect(await there()).toEqual([]);
    expect(readdirSync(own('clones'))).toEqual([]);
  });

  it('keeps everything while a receipt cannot be read', async () => {
    const { client, there, own } = await filled();
    mkdirSync(own('clones'), { recursive: true });
    writeFileSync(own('clones/x.json'), '{');
    const { kept } = await client.pruneCache({ unused: true });
    expect(kept.map(({ keptBy }) => keptBy)).toEqual(
      Array.from({ length: 4 }, () => [{ type: 'receipt', path: own('clones/x.json') }]),
    );
    expect(await there()).toHaveLength(4);
  });

  it('keeps what a receipt may need that says which clone it is of, and nothing else', async () => {
    const { client, clone, there, own } = await filled();
    await client.cloneVersion(V1, clone);
    await client.cloneVersion(B1, clone, { merge: true });
    const [name = ''] = readdirSync(own('clones'));
    const receipt = JSON.parse(readFileSync(own(`clones/${name}`), 'utf8'));
    writeFileSync(own(`clones/${name}`), JSON.stringify({ ...receipt, mode: 'of a later time' }));
    const { kept } = await client.pruneCache({ unused: true });
    expect(kept.map(({ keptBy }) => keptBy)).toEqual(
      Array.from({ length: 2 }, () => [{ type: 'receipt', path: own(`clones/${name}`) }]),
    );
    expect(await there()).toEqual(['p/a/v1', 'p/b/v1']);
  });

  it('removes contents that no version has, but none that may become a file at this moment', async () => {
    const { client, own, blobs, bucket } = await filled();
    rmSync(bucket('q/a/v1'), { recursive: true });
    expect((await client.pruneCache()).blobs).toEqual([]);
    age(own('blobs/q'));
    expect(await client.pruneCache()).toMatchObject({ blobs: [expect.stringContaining('/q/md5/')], freed: 5 });
    expect(blobs()).toBe(4);
    // What has a name outside of the cache, such as in a clone of hard links, frees nothing.
    linkSync(bucket('p/b/v1/four'), join(own('incoming'), '..', 'elsewhere'));
    rmSync(bucket('p/b/v1'), { recursive: true });
    age(own('blobs'));
    expect((await client.pruneCache()).blobs).toEqual([]);
  });

  it('leaves the content of files that are copies', async () => {
    const { client, own, bucket, blobs } = await filled();
    const copy = readFileSync(bucket('q/a/v1/five'));
    rmSync(bucket('q/a/v1/five'));
    writeFileSync(bucket('q/a/v1/five'), copy);
    age(own('blobs'));
    await client.pruneCache();
    expect(blobs()).toBe(5);
  });

  it('removes what was left behind half-made, and what was moved aside if it is told to', async () => {
    const { client, own } = await filled();
    writeFileSync(own('incoming/half'), 'half');
    mkdirSync(own('damaged/id'), { recursive: true });
    writeFileSync(own('damaged/id/x'), 'damaged');
    utimesSync(own('incoming/half'), 1e9, 1e9);
    // Its inode was changed just now.
    expect((await client.pruneCache()).leftovers).toEqual([]);
    expect((await client.pruneCache()).damaged).toEqual([]);
    expect(await client.pruneCache({ damaged: true })).toMatchObject({ damaged: [own('damaged/id')], freed: 7 });
    expect(readdirSync(own('damaged'))).toEqual([]);
    expect(readdirSync(own('incoming'))).toEqual(['half']);
  });

  it('waits for whoever saves a version, and keeps what was used since it was looked at', async () => {
    const { client, layout, bucket, there, events, watch } = await filled();
    let pruning: Promise<unknown> = Promise.resolve();
    await withLock(layout, layout.lock(V1), async () => {
      pruning = client.pruneCache({ scopes: [V1], ...watch });
      await expect.poll(() => events.some(({ type }) => type === 'wait')).toBe(true);
      utimesSync(bucket('p/a/v1'), 1e9 + 100, 1e9 + 100);
    });
    expect(await pruning).toMatchObject({ versions: [], kept: [{ ...(V1 as object), keptBy: [{ type: 'use' }] }] });
    expect(await there()).toHaveLength(4);
    expect((await client.listCache([V1]))[0]?.complete).toBe(true);
    expect(existsSync(layout.complete(V1))).toBe(true);
  });

  it('keeps what was cloned while it waited', async () => {
    const { client, layout, clone, events, watch } = await filled();
    let pruning: Promise<unknown> = Promise.resolve();
    await withLock(layout, layout.lock(V1), async () => {
      pruning = client.pruneCache({ unused: true, ...watch });
      await expect.poll(() => events.some(({ type }) => type === 'wait')).toBe(true);
      await client.cloneVersion(V1, clone);
    });
    expect(await pruning).toMatchObject({ versions: [V2, B1, Q1], kept: [V1] });
    expect(readFileSync(join(clone, 'two'), 'utf8')).toBe('22');
  });

  it('can be stopped', async () => {
    const { client } = await filled();
    const stop = new AbortController();
    const reason = new Error('enough');
    const onEvent = ({ type, ...event }: { type: string; task?: string }) => {
      if (type === 'progress' && event.task === 'remove') stop.abort(reason);
    };
    await expect(client.pruneCache({ unused: true, signal: stop.signal, onEvent })).rejects.toBe(reason);
    expect(await client.listCache()).toHaveLength(3);
  });
});

describe('a clone and a prune at once', () => {
  it('never leave a clone whose links dangle', async () => {
    const { connect, folder } = await filled();
    const [one, other] = [connect(), connect()];
    for (let round = 0; round < 80; round++) {
      const clone = join(folder, `clone${round}`);
      const pruned = other.pruneCache({ scopes: [V1] });
      // The nearer to the end of the other, the better.
      for (let turn = 0; turn < (round % 40) * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([pruned, one.cloneVersion(V1, clone)]);
      expect(readFileSync(join(clone, 'one'), 'utf8')).toBe('1');
      expect(readFileSync(join(clone, 'two'), 'utf8')).toBe('22');
      rmSync(clone, { recursive: true });
      await other.pruneCache({ forgetMissing: true });
    }
  });

  it('a clone saves again what went between its save and its receipt', async () => {
    const { client, clone, bucket, layout } = await filled();
    const onEvent = (event: { type: string; task?: string }) => {
      if (event.type !== 'start' || event.task !== 'scan') return;
      rmSync(layout.complete(V1));
      rmSync(bucket('p/a/v1'), { recursive: true });
    };
    await client.cloneVersion(V1, clone, { merge: true, onEvent });
    expect(readFileSync(join(clone, 'two'), 'utf8')).toBe('22');
  });
});

describe('removeCached', () => {
  it('removes versions, and what only they had', async () => {
    const { client, there, blobs } = await filled();
    const dry = await client.removeCached([{ project: 'p', asset: 'a' }], { dryRun: true });
    expect(await there()).toHaveLength(4);
    const result = await client.removeCached([{ project: 'p', asset: 'a' }]);
    expect(result).toEqual({ ...dry, dryRun: false });
    expect(result).toMatchObject({ versions: [V1, V2], freed: 6 });
    expect(await there()).toEqual(['p/b/v1', 'q/a/v1']);
    expect(blobs()).toBe(2);
  });

  it('refuses what a clone needs and says which, unless it is forced', async () => {
    const { client, clone, there, registry } = await filled();
    await client.cloneVersion(V2, clone);
    await expect(client.removeCached([{ project: 'p' }])).rejects.toMatchObject({
      code: 'in-use',
      message: `Nothing was removed, since it is in use:\n  p/a/v2: the clone ${clone} needs it`,
      hint: expect.stringContaining('--force'),
    });
    expect(await there()).toHaveLength(4);
    expect(await client.removeCached([V2], { force: true })).toMatchObject({ versions: [V2] });
    expect(existsSync(join(clone, 'three'))).toBe(false);
    // The clone can be published all the same, and healed.
    registry.resetCalls();
    expect((await client.prepareDirectoryUpload(clone)).links).toHaveLength(2);
    expect(registry.calls).toEqual([]);
    await client.saveVersion(V2);
    expect(readFileSync(join(clone, 'three'), 'utf8')).toBe('333');
  });

  it('says of what the cache has nothing', async () => {
    const { client } = await filled();
    await expect(client.removeCached([{ project: 'p' }, { project: 'x' }])).rejects.toMatchObject({
      code: 'not-found',
      message: 'The cache has nothing of x.',
    });
  });

  it('takes of a version that was moved to another disk the link, and leaves what is there', async () => {
    const { client, bucket, folder, there } = await filled();
    renameSync(bucket('q/a/v1'), join(folder, 'elsewhere'));
    symlinkSync(join(folder, 'elsewhere'), bucket('q/a/v1'));
    await client.removeCached([Q1]);
    expect(await there()).toHaveLength(3);
    expect(readdirSync(join(folder, 'elsewhere'))).toEqual(['five', '..manifest', '..summary'].sort());
  });
});
