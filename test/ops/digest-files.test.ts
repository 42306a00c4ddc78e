import { appendFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createContext, type GypsumEvent } from '../../src/index.ts';
import { digestFiles } from '../../src/ops/digest-files.ts';
import type { createDigestPool } from '../../src/ops/digest-pool.ts';
import { md5 } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Threads are started from what is built. */
const built = (name: string) => pathToFileURL(join(import.meta.dirname, `../../dist/src/ops/${name}.js`)).href;

type Digests = { digestFiles: typeof digestFiles };

async function createFiles(contents: Readonly<Record<string, string | Uint8Array>>) {
  const folder = await tempFolder();
  const ctx = createContext({ url: 'http://gypsum.test', cacheDir: join(folder, 'cache') });
  const files = Object.entries(contents).map(([path, content]) => ({
    path,
    size: content.length,
    source: join(folder, path),
    content,
  }));
  for (const { source, content } of files) await writeFile(source, content);
  const events: GypsumEvent[] = [];
  const onEvent = (event: GypsumEvent) => void events.push(event);
  const bytes = () =>
    events.reduce((sum, event) => sum + (event.type === 'progress' && event.task === 'digest' ? event.bytes : 0), 0);
  return { folder, ctx, files, events, onEvent, bytes };
}

/** How much a thread reads at once. Units: bytes */
const CHUNK = 1024 * 1024;

/** Counts the threads that are started from now on. */
function countThreads(): () => number {
  let started = 0;
  const count = () => void started++;
  process.on('worker', count);
  onTestFinished(() => void process.off('worker', count));
  return () => started;
}

describe('digests', () => {
  it('are right and in order, whether read or remembered', async () => {
    const { ctx, files, onEvent, bytes } = await createFiles({ a: 'aaa', b: '', c: 'c'.repeat(100_000) });
    for (let time = 1; time <= 2; time++) {
      const digests = await digestFiles(ctx, files, { onEvent });
      expect(digests.map(({ md5sum }) => md5sum)).toEqual(files.map(({ content }) => md5(content)));
      expect(bytes()).toBe(time * 100_003);
    }
  });

  it('are remembered: a file that was not touched since is not read again', async () => {
    const { ctx, files, events, onEvent } = await createFiles({ a: 'a'.repeat(200_000), empty: '' });
    const chunks = async () => {
      events.length = 0;
      await digestFiles(ctx, files, { onEvent });
      return events.flatMap((event) => (event.type === 'progress' && event.files === 0 ? event.bytes : []));
    };
    expect((await chunks()).length).toBeGreaterThan(2);
    expect((await chunks()).filter((bytes) => bytes > 0)).toEqual([200_000]);
  });

  it('are taken anew of a file that was changed, also within its size', async () => {
    const { ctx, files } = await createFiles({ a: 'one', b: 'two' });
    await digestFiles(ctx, files, {});
    await writeFile(files[0]?.source ?? '', 'ONE');
    expect((await digestFiles(ctx, files, {})).map(({ md5sum }) => md5sum)).toEqual([md5('ONE'), md5('two')]);
    await appendFile(files[1]?.source ?? '', '!');
    await expect(digestFiles(ctx, files, {})).rejects.toMatchObject({ code: 'file-changed' });
    await rm(files[1]?.source ?? '');
    await expect(digestFiles(ctx, files, {})).rejects.toMatchObject({ code: 'file-changed' });
  });

  it('of large files are the same, from whatever threads; those of few or small ones need none', async () => {
    const { digestFiles: digest } = (await import(built('digest-files'))) as Digests;
    const threads = countThreads();
    const large = Buffer.alloc(20 * 1024 * 1024, 'large');
    const { ctx, files, onEvent, bytes } = await createFiles({ a: large, b: large, c: large, d: large, e: 'small' });
    const digests = await digest(ctx, files, { onEvent });
    expect(digests.map(({ md5sum }) => md5sum)).toEqual(files.map(({ content }) => md5(content)));
    expect(bytes()).toBe(4 * large.length + 5);
    expect(threads()).toBe(Math.min(availableParallelism(), 4));
    await writeFile(files[0]?.source ?? '', Buffer.alloc(large.length, 'other'));
    await digest(ctx, files.slice(0, 1), {});
    await digest(ctx, files.slice(4), {});
    expect(threads()).toBe(Math.min(availableParallelism(), 4));
  });
});

describe('worker threads', () => {
  const openPool = async (size?: number) => {
    const { createDigestPool: create } = (await import(built('digest-pool'))) as {
      createDigestPool: typeof createDigestPool;
    };
    return create(size);
  };
  const signal = new AbortController().signal;

  it('are what reads the files, as many of them as are asked for and needed', async () => {
    const threads = countThreads();
    const { files } = await createFiles({ a: Buffer.alloc(2.5 * CHUNK, 'a'), b: 'b', c: 'c' });
    const pool = await openPool(2);
    try {
      const told: number[] = [];
      const [a] = await Promise.all(
        files.map(({ source, path }) => pool.digest(source, signal, (bytes) => path === 'a' && told.push(bytes))),
      );
      expect(a).toEqual({ md5sum: md5(files[0]?.content ?? ''), size: 2.5 * CHUNK });
      // This thread would read smaller ones.
      expect(told).toEqual([CHUNK, CHUNK, CHUNK / 2]);
      expect(threads()).toBe(2);
    } finally {
      await pool.close();
    }
  });

  it('digest many files, and tell of their bytes', async () => {
    const contents = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, `${n}`.repeat(100_000)]));
    const { files } = await createFiles(contents);
    const pool = await openPool(3);
    try {
      const told: number[] = [];
      const all = files.map(({ source }) => pool.digest(source, signal, (bytes) => void told.push(bytes)));
      expect(await Promise.all(all)).toEqual(files.map(({ content, size }) => ({ md5sum: md5(content), size })));
      const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);
      expect(sum(told)).toBe(sum(files.map(({ size }) => size)));
    } finally {
      await pool.close();
    }
  });

  it('say why a file cannot be read, and go on with others', async () => {
    const { files, folder } = await createFiles({ a: 'aaa' });
    const pool = await openPool(1);
    try {
      await expect(pool.digest(join(folder, 'none'), signal, () => {})).rejects.toMatchObject({ code: 'file-changed' });
      expect(await pool.digest(files[0]?.source ?? '', signal, () => {})).toEqual({ md5sum: md5('aaa'), size: 3 });
    } finally {
      await pool.close();
    }
  });

  it('stop at once when they are told to', async () => {
    const { files } = await createFiles({ a: Buffer.alloc(64 * 1024 * 1024), b: 'bbb' });
    const pool = await openPool(1);
    const stop = new AbortController();
    const reason = new Error('enough');
    try {
      const waiting = files.map(({ source }) => pool.digest(source, stop.signal, () => stop.abort(reason)));
      for (const one of await Promise.allSettled(waiting)) expect(one).toEqual({ status: 'rejected', reason });
    } finally {
      await pool.close();
    }
  });
});
