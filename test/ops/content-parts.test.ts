import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { status } from '../../mocks/index.ts';
import { formatTreeRecord } from '../../src/model/tree-record.ts';
import { createRig, md5 } from '../helpers/rig.ts';

// Every content whose digest begins with another digit is a part of its own.
vi.mock('../../src/ops/content-parts.ts', async (load) => {
  const parts = await load<typeof import('../../src/ops/content-parts.ts')>();
  const groupContents: typeof parts.groupContents = (version, files) => parts.groupContents(version, files, 1);
  return { ...parts, groupContents };
});
const { groupContents, eachContent } = await import('../../src/ops/content-parts.ts');
const { groupContents: groupWhole } = await vi.importActual<typeof import('../../src/ops/content-parts.ts')>(
  '../../src/ops/content-parts.ts',
);

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const RECORD = '.gypsum-tree.json';
const numbers = Array.from({ length: 60 }, (_, n) => n);
/** Forty contents, a third of which have two files. */
const FILES: Record<string, string> = {
  ...Object.fromEntries(numbers.map((n) => [`sub/${n}`, `content ${n % 40}`])),
  [RECORD]: formatTreeRecord({ entries: numbers.map((n) => ({ type: 'file', path: `sub/${n}`, mode: 0o755 })) }),
};
const seed = { versions: { 'p/a/v1': FILES } };
const cached = (cacheDir: string, path: string) => join(cacheDir, 'bucket/p/a/v1', path);

describe('contents in parts', () => {
  const manifest = Object.fromEntries(
    Object.entries(FILES).map(([path, text]) => [path, { size: text.length, md5sum: md5(text) }]),
  );

  it('are those of the whole, each in one part with all its files, as often as one goes through them', () => {
    const parts = groupContents({ ref: V1, manifest });
    const sorted = (contents: Iterable<{ digest: { hex: string } }>) =>
      [...contents].sort((a, b) => a.digest.hex.localeCompare(b.digest.hex));
    const whole = sorted(eachContent(groupWhole({ ref: V1, manifest })));
    expect([...groupWhole({ ref: V1, manifest })]).toHaveLength(1);
    for (const _ of [1, 2]) {
      expect(sorted(eachContent(parts))).toEqual(whole);
      for (const part of parts) expect(new Set(part.map(({ digest }) => digest.hex[0])).size).toBe(1);
    }
    expect([...parts].length).toBeGreaterThan(8);
  });

  it('are those of some files', () => {
    const chosen = new Set(['sub/1', 'sub/41', 'sub/2']);
    const contents = [...eachContent(groupContents({ ref: V1, manifest }, chosen))];
    expect(contents.flatMap(({ files }) => files.map(({ path }) => path)).sort()).toEqual([...chosen].sort());
    expect(contents).toHaveLength(2);
  });
});

describe('a version that is saved in parts', () => {
  it('is told, counted and marked as one, and not asked for again', async () => {
    const { client, registry, cacheDir, events, watch } = await createRig(seed);
    const result = await client.saveVersion(V1, watch);
    expect(result).toMatchObject({ files: 60, fetched: { contents: 41 } });
    const fetching = events.filter((event) => 'task' in event && event.task === 'fetch');
    expect(fetching.filter(({ type }) => type === 'start')).toEqual([
      { type: 'start', task: 'fetch', files: 41, bytes: expect.any(Number) },
    ]);
    expect(fetching.filter(({ type }) => type === 'end')).toHaveLength(1);
    expect(lstatSync(join(cacheDir, 'status/p/a/v1/COMPLETE')).isFile()).toBe(true);
    for (const path of ['sub/3', 'sub/43']) expect(lstatSync(cached(cacheDir, path)).ino).toBeGreaterThan(0);
    expect(lstatSync(cached(cacheDir, 'sub/3')).ino).toBe(lstatSync(cached(cacheDir, 'sub/43')).ino);
    const before = registry.calls.length;
    expect(await client.saveVersion(V1)).toMatchObject({ fetched: { contents: 0 }, adopted: { contents: 0 } });
    expect(registry.calls).toHaveLength(before);
  });

  it('has its programs made executable whichever part its record is in', async () => {
    const { client, cacheDir } = await createRig(seed);
    await client.saveVersion(V1);
    for (const n of numbers) expect(lstatSync(cached(cacheDir, `sub/${n}`)).mode & 0o777).toBe(0o555);
  });

  it('keeps what came of it before a part failed', async () => {
    const { client, registry, connect } = await createRig(seed);
    registry.inject(status(404), { route: 'bulk' });
    registry.inject(status(403), { key: 'p/a/v1/sub/25' });
    await expect(connect({ concurrency: 1 }).saveVersion(V1)).rejects.toMatchObject({ code: 'forbidden' });
    const before = registry.calls.filter(({ key }) => key?.startsWith('p/a/v1/') && !key.includes('..')).length;
    expect(before).toBeGreaterThan(1);
    registry.clearFaults();
    expect(await client.saveVersion(V1)).toMatchObject({ fetched: { contents: 41 - (before - 1) } });
  });

  it('is missed with all its parts where nobody can be asked', async () => {
    const { client, cacheDir, connect } = await createRig(seed);
    await client.saveVersion(V1);
    rmSync(join(cacheDir, 'bucket/p/a/v1/sub'), { recursive: true });
    rmSync(join(cacheDir, '.gypsum-client/1/blobs'), { recursive: true });
    await expect(connect({ offline: true }).saveVersion(V1)).rejects.toMatchObject({
      code: 'unavailable',
      details: { files: { length: 60 } },
    });
  });
});
