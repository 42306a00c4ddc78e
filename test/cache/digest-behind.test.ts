import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import type { createDigestThreads as createThreads } from '../../src/cache/digest-behind.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Threads are started from what is built. */
const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/cache/digest-behind.js')).href;
const { createDigestThreads } = (await import(built)) as { createDigestThreads: typeof createThreads };

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const STEP = 1024 * 1024;

async function setUp(count?: number) {
  const threads = createDigestThreads(count);
  onTestFinished(() => threads.close());
  const folder = await tempFolder();
  const follow = async (name: string) => {
    const path = join(folder, name);
    writeFileSync(path, '');
    const behind = await threads.follow(path, 'md5');
    if (behind === undefined) throw new Error('there is no thread');
    return { path, behind };
  };
  return { threads, folder, follow };
}

it.each([1, 2])('digests several files while they grow, on %i threads', async (count) => {
  const { follow } = await setUp(count);
  const files = await Promise.all(['a', 'b', 'c'].map(follow));
  const contents = files.map(() => randomBytes(3 * STEP + 17));
  for (let from = 0; from < 3 * STEP + 17; from += STEP / 2) {
    for (const [at, { path, behind }] of files.entries()) {
      const content = contents[at] ?? Buffer.alloc(0);
      appendFileSync(path, content.subarray(from, from + STEP / 2));
      behind.written(Math.min(from + STEP / 2, content.length));
    }
  }
  const digests = await Promise.all(files.map(({ behind }, at) => behind.end(contents[at]?.length ?? 0)));
  expect(digests).toEqual(contents.map(md5));
});

it('reads no further than it is told', async () => {
  const { follow } = await setUp();
  const { path, behind } = await follow('a');
  writeFileSync(path, 'abc, and more that is not told of');
  expect(await behind.end(3)).toBe(md5(Buffer.from('abc')));
});

it('says nothing of a file that cannot be read or is shorter, and goes on with others', async () => {
  const { threads, folder, follow } = await setUp(1);
  const missing = await threads.follow(join(folder, 'missing'), 'md5');
  expect(await missing?.end(0)).toBeUndefined();
  const short = await follow('short');
  expect(await short.behind.end(1)).toBeUndefined();
  const stopped = await follow('stopped');
  stopped.behind.stop();
  const { behind } = await follow('empty');
  expect(await behind.end(0)).toBe(md5(Buffer.alloc(0)));
});

it('says nothing once it is closed', async () => {
  const { threads, follow } = await setUp();
  const { behind } = await follow('a');
  await threads.close();
  expect(await behind.end(0)).toBeUndefined();
});
