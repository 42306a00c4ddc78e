import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { createDigestThreads as createThreads, DigestThreads } from '../../src/cache/digest-behind.ts';
import { openDownload } from '../../src/cache/download.ts';
import { downloadId } from '../../src/cache/incoming-name.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { ownedName } from '../../src/owned-name.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Threads are started from what is built. */
const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/cache/digest-behind.js')).href;
const { createDigestThreads } = (await import(built)) as { createDigestThreads: typeof createThreads };

const BYTES = Buffer.alloc(100_000, 'some content, ');
const HALF = BYTES.subarray(0, 50_000);
const expected = { digest: { algorithm: 'md5', hex: md5(BYTES) }, size: BYTES.length } as const;
const ID = downloadId('p', expected);

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

async function setUp(threads?: DigestThreads) {
  const layout = createLayout(await tempFolder());
  mkdirSync(layout.incomings, { recursive: true });
  const lay = (path: string, content: Uint8Array, ageSeconds = 0) => {
    writeFileSync(path, content, { mode: 0o600 });
    const time = Date.now() / 1000 - ageSeconds;
    utimesSync(path, time, time);
    return path;
  };
  return {
    layout,
    lay,
    open: () => openDownload(layout, 'p', expected, 'x', threads),
    blob: layout.blob('p', expected.digest),
    names: () => readdirSync(layout.incomings),
    nameOf: (owner: string) => layout.incoming(`${owner}.${ID}`),
  };
}

const LIVING = ownedName();
const DEAD = ownedName().replace(/^(\d+)\.\d*/, '999999999.1');
const ELSEWHERE = ownedName().replace(/\.[\da-f]{8}\./, '.00000000.');

/** Gives some bytes; then, when they are where they belong, it ends or breaks. */
const from = (bytes: Uint8Array, fault?: Error, isThere = () => true) =>
  Readable.from(
    (async function* () {
      yield bytes;
      await vi.waitUntil(isThere, { timeout: 30_000 });
      if (fault !== undefined) throw fault;
    })(),
  );

describe('what is left', () => {
  it('by a download that was closed is taken by one alone', async () => {
    const { open, layout, lay, names } = await setUp();
    const { ino } = statSync(lay(layout.partial(ID), HALF));
    const downloads = await Promise.all([open(), open(), open()]);
    expect(downloads.map((download) => download.present()).sort()).toEqual([0, 0, HALF.length]);
    expect(names()).toHaveLength(1);
    expect(statSync(layout.incoming(names()[0] ?? '')).ino).toBe(ino);
  });

  it('by a process that has ended is copied: if it has not, it does not write into ours', async () => {
    const { open, lay, nameOf, names, layout } = await setUp();
    const { ino } = statSync(lay(nameOf(DEAD), HALF));
    expect((await open()).present()).toBe(HALF.length);
    expect(names()).toHaveLength(1);
    expect(statSync(layout.incoming(names()[0] ?? '')).ino).not.toBe(ino);
  });

  it('by another machine is copied when nobody has written to it for a while, and stays', async () => {
    const { open, lay, nameOf } = await setUp();
    const path = lay(nameOf(ELSEWHERE), HALF, 120);
    expect((await open()).present()).toBe(HALF.length);
    expect(existsSync(path)).toBe(true);
  });

  it.each([
    ['is written to by a process of this machine', LIVING, 120],
    ['may be written to by another machine', ELSEWHERE, 0],
  ])('and %s is left alone', async (_what, owner, age) => {
    const { open, lay, nameOf, names } = await setUp();
    const path = lay(nameOf(owner), HALF, age);
    expect((await open()).present()).toBe(0);
    expect(names()).toEqual([path.slice(path.lastIndexOf('/') + 1)]);
  });

  it('and has another name is copied: whoever knows it by that one may write there', async () => {
    const { open, layout, lay } = await setUp();
    const path = lay(layout.partial(ID), HALF);
    linkSync(path, join(layout.root, 'other'));
    const download = await open();
    expect(download.present()).toBe(HALF.length);
    writeFileSync(join(layout.root, 'other'), '');
    expect(download.present()).toBe(HALF.length);
  });

  it.each([
    ['a symlink', (path: string, other: string) => symlinkSync(other, path)],
    ['a folder', (path: string) => mkdirSync(path)],
    ['an empty file', (path: string) => writeFileSync(path, '')],
  ])('and is %s is no beginning', async (_what, make) => {
    const { open, layout, lay, blob } = await setUp();
    const other = lay(join(layout.root, 'precious'), HALF);
    make(layout.partial(ID), other);
    const download = await open();
    expect(download.present()).toBe(0);
    await download.receive(from(BYTES), 0);
    await download.close();
    expect(readFileSync(blob)).toEqual(BYTES);
    expect(readFileSync(other)).toEqual(HALF);
  });

  it('of another content, size or project is not looked at', async () => {
    const { open, layout, lay } = await setUp();
    for (const [project, size] of [
      ['q', expected.size],
      ['p', expected.size + 1],
    ] as const) {
      lay(layout.partial(downloadId(project, { ...expected, size })), HALF);
    }
    expect((await open()).present()).toBe(0);
  });
});

const broken: DigestThreads = {
  follow: async () => ({ written() {}, end: async () => undefined, stop() {} }),
  async close() {},
};
const none: DigestThreads = { follow: async () => undefined, async close() {} };
const digestThreads = () => {
  const threads = createDigestThreads();
  onTestFinished(() => threads.close());
  return threads;
};

describe.each([
  ['digested on its way', () => undefined],
  ['digested by another thread', digestThreads],
  ['digested by a thread that breaks', () => broken],
  ['digested where no thread can be started', () => none],
])('a download, %s,', (_how, openThreads) => {
  it('goes on behind what it recalls, and publishes the whole', async () => {
    const { open, layout, lay, blob, names } = await setUp(openThreads());
    lay(layout.partial(ID), HALF);
    const download = await open();
    expect(await download.recall()).toBe(HALF.length);
    const stats = await download.receive(from(BYTES.subarray(HALF.length)), HALF.length);
    await download.close();
    expect(readFileSync(blob)).toEqual(BYTES);
    expect(statSync(blob)).toMatchObject({ ino: stats.ino, mode: 0o100444 });
    expect(names()).toEqual([]);
  });

  it('does not go on where it has recalled nothing, or something else', async () => {
    const { open, layout, lay } = await setUp(openThreads());
    lay(layout.partial(ID), HALF);
    const download = await open();
    await expect(download.receive(from(BYTES), HALF.length)).rejects.toThrow('cannot go on');
    await download.recall();
    await expect(download.receive(from(BYTES), 1)).rejects.toThrow('cannot go on');
  });

  it('keeps a good beginning when it is closed, for its owner alone', async () => {
    const { open, layout, names } = await setUp(openThreads());
    const download = await open();
    const isThere = (bytes: Uint8Array) => () => download.present() === bytes.length;
    const more = BYTES.subarray(0, 60_000);
    await expect(download.receive(from(more, new Error('lost'), isThere(more)), 0)).rejects.toThrow('lost');
    expect(download.present()).toBe(more.length);
    const ends = download.receive(from(HALF, undefined, isThere(HALF)), 0);
    await expect(ends).rejects.toMatchObject({ code: 'wrong-content' });
    await download.close();
    expect(names()).toEqual([`partial.${ID}`]);
    expect(readFileSync(layout.partial(ID))).toEqual(HALF);
    expect(statSync(layout.partial(ID)).mode & 0o777).toBe(0o600);
  });

  it('keeps nothing that is wrong, or too long', async () => {
    const { open, blob, names } = await setUp(openThreads());
    for (const bytes of [Buffer.alloc(BYTES.length), Buffer.alloc(BYTES.length + 1)]) {
      const download = await open();
      await expect(download.receive(from(bytes), 0)).rejects.toMatchObject({ code: 'wrong-content' });
      expect(download.present()).toBe(0);
      await download.close();
    }
    expect(names()).toEqual([]);
    expect(existsSync(blob)).toBe(false);
  });

  it('goes on with what was complete, but for its name', async () => {
    const { open, layout, lay, blob } = await setUp(openThreads());
    chmodSync(lay(layout.partial(ID), BYTES), 0o444);
    const download = await open();
    expect(await download.recall()).toBe(BYTES.length);
    await download.receive(Readable.from([]), BYTES.length);
    expect(readFileSync(blob)).toEqual(BYTES);
  });

  it('that is given up ends, and keeps what came', async () => {
    const { open, names } = await setUp(openThreads());
    const download = await open();
    const controller = new AbortController();
    const stalls = new Readable({ read() {} });
    stalls.push(HALF);
    const abort = vi.waitUntil(() => download.present() === HALF.length, { timeout: 30_000 });
    void abort.then(() => controller.abort(new Error('given up')));
    await expect(download.receive(stalls, 0, { signal: controller.signal })).rejects.toThrow();
    await expect(download.receive(from(BYTES), 0, { signal: controller.signal })).rejects.toThrow();
    await download.close();
    expect(names().length).toBeLessThanOrEqual(1);
  });

  it('that nothing can be written for fails', async () => {
    const { open, layout } = await setUp(openThreads());
    const download = await open();
    renameSync(layout.incomings, join(layout.root, 'gone'));
    await expect(download.receive(from(BYTES), 0)).rejects.toMatchObject({ code: 'ENOENT' });
    await download.close();
  });
});

it('a download of something small keeps nothing', async () => {
  const { layout, names } = await setUp();
  const small = { digest: { algorithm: 'md5', hex: md5(HALF) }, size: HALF.length } as const;
  const download = await openDownload(layout, 'p', small, 'x');
  await expect(download.receive(from(HALF.subarray(1), new Error('lost')), 0)).rejects.toThrow('lost');
  expect(await download.recall()).toBe(0);
  await download.close();
  expect(names()).toEqual([]);
});
