import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GypsumEvent } from '../../src/events.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import type { SeenEntry } from '../../src/tree/scan-list.ts';
import type { ScanThread, startScanThread } from '../../src/tree/scan-thread.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Threads are started from what is built. */
const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/tree/scan-thread.js')).href;
const { startScanThread: start } = (await import(built)) as { startScanThread: typeof startScanThread };

/** How many files are in the folder: lists, and a part of one. */
const MANY = 2_500;

/** A folder with links to its own paths in another folder, of which every tenth is not there, and with other things. */
async function makeFolders() {
  const [root, home] = [await tempFolder(), await tempFolder()];
  const folders = Array.from({ length: 10 }, (_, n) => `d${n}/sub`);
  for (const folder of folders) for (const side of [root, home]) mkdirSync(join(side, folder), { recursive: true });
  const links = Array.from({ length: MANY }, (_, at) => `d${at % 10}/sub/f${at}`);
  for (const [at, path] of links.entries()) {
    if (at % 10 > 0) writeFileSync(join(home, path), `${at}`);
    symlinkSync(join(home, path), join(root, path));
  }
  writeFileSync(join(root, 'd0/file'), 'content');
  mkdirSync(join(root, 'd1/empty'));
  symlinkSync('d0/file', join(root, 'own'));
  symlinkSync(home, join(root, 'to a folder'));
  symlinkSync(join(home, 'd1'), join(root, 'd1/d1'));
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(root, 'fifo')]);
  if (process.platform === 'linux') {
    symlinkSync(Buffer.from('/x\xfe', 'latin1'), Buffer.from(join(root, 'odd\xff'), 'latin1'));
  }
  return { root, home, links };
}

async function startIn(root: string, home: string): Promise<ScanThread> {
  const thread = await start(root, home);
  if (thread === undefined) throw new Error('there is no thread');
  onTestFinished(() => thread.stop());
  return thread;
}

async function take(thread: ScanThread, options: Parameters<ScanThread['parts']>[0] = {}): Promise<SeenEntry[]> {
  const entries: SeenEntry[] = [];
  for await (const part of thread.parts(options)) entries.push(...part);
  return entries;
}

const withoutPrints = (entries: readonly SeenEntry[]) =>
  entries.map((entry) => {
    if (entry.type !== 'symlink') return { ...entry };
    const { shows: _, ...rest } = entry;
    return rest;
  });

/** Has the next thread that is started end when it has said so many words: the first is that it runs, others are lists. */
function endNext(words: number): void {
  let said = 0;
  process.once('worker', (worker: Worker) => {
    worker.on('message', () => void (++said === words && worker.terminate()));
  });
}

describe('a folder that another thread reads', () => {
  it('gives the tree that is read here, byte for byte, and tells of it', async () => {
    const { root, home } = await makeFolders();
    const events: GypsumEvent[] = [];
    const entries = await take(await startIn(root, home), { onEvent: (event) => void events.push(event) });
    expect(withoutPrints(entries)).toEqual((await scanFolder(root)).map((entry) => ({ ...entry })));
    const told = events.reduce((sum, event) => sum + (event.type === 'progress' ? event.files : 0), 0);
    expect(told).toBe(entries.length);
  });

  it.each([
    ['by the thread, which is ahead', 300],
    ['by whoever waits for it', 0],
  ])('is looked through where links lead to their own files: %s', async (_, wait) => {
    const { root, home, links } = await makeFolders();
    const thread = await startIn(root, home);
    await new Promise((resolve) => setTimeout(resolve, wait));
    const shows = new Map((await take(thread)).map((entry) => [entry.path, entry.type === 'symlink' && entry.shows]));
    for (const [at, path] of links.entries()) {
      expect(shows.get(path)).toEqual(at % 10 > 0 ? fingerprintOf(statSync(join(home, path))) : undefined);
    }
    for (const path of ['own', 'to a folder', 'd1/d1']) expect(shows.get(path)).toBeUndefined();
  });

  it('is given without what is left out', async () => {
    const { root, home } = await makeFolders();
    const entries = await take(await startIn(root, home), { skip: (path) => path === 'd3' || path === 'd4/sub/f4' });
    const paths = (await scanFolder(root)).map(({ path }) => path);
    expect(entries.map(({ path }) => path)).toEqual(paths.filter((path) => !/^(d3(\/|$)|d4\/sub\/f4$)/.test(path)));
  });

  it.each([1, 2, 3])('is read here if the thread ends, from where it was: after %i words', async (words) => {
    const { root, home } = await makeFolders();
    endNext(words);
    const events: GypsumEvent[] = [];
    const thread = await startIn(root, home);
    const entries = await take(thread, { onEvent: (event) => void events.push(event) });
    expect(entries.map(({ path }) => path)).toEqual((await scanFolder(root)).map(({ path }) => path));
    const told = events.reduce((sum, event) => sum + (event.type === 'progress' ? event.files : 0), 0);
    expect(told).toBe(entries.length);
  });

  it('fails as it does here', async () => {
    const { root, home } = await makeFolders();
    rmSync(root, { recursive: true });
    await expect(take(await startIn(root, home))).rejects.toMatchObject({ code: 'ENOENT', syscall: 'scandir' });
  });

  it('is left when that is wanted', async () => {
    const { root, home } = await makeFolders();
    const stop = new AbortController();
    const reason = new Error('enough');
    const thread = await startIn(root, home);
    const onEvent = () => stop.abort(reason);
    await expect(take(thread, { onEvent, signal: stop.signal })).rejects.toBe(reason);
    await thread.stop();
  });
});
