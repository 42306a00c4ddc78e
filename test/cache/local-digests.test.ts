import { readdirSync, statSync } from 'node:fs';
import { appendFile, chmod, mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { openLocalDigests } from '../../src/cache/local-digests.ts';
import { md5 } from '../helpers/rig.ts';
import { makeClockCoarse, showStats } from '../helpers/show-stats.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** A file whose digest was noted and written down, and a new memory of the same cache. */
async function createNoted() {
  const folder = await tempFolder();
  const layout = createLayout(join(folder, 'cache'));
  const path = join(folder, 'file');
  await writeFile(path, 'content');
  const memory = openLocalDigests(layout);
  memory.note(path, statSync(path), md5('content'));
  await memory.flush();
  return { folder, layout, path, find: async () => openLocalDigests(layout).find(statSync(path)) };
}

it('a digest is known as long as the file is not touched', async () => {
  const { find } = await createNoted();
  expect(await find()).toBe(md5('content'));
  expect(await find()).toBe(md5('content'));
});

it.each<[string, (path: string) => Promise<unknown>]>([
  ['written to', (path) => appendFile(path, '!')],
  ['written to without a change of size', (path) => writeFile(path, 'CONTENT')],
  ['given other times', (path) => utimes(path, 1e9, 1e9)],
  ['given another mode', (path) => chmod(path, 0o600)],
  ['replaced', async (path) => writeFile(`${path}.new`, 'content').then(() => rename(`${path}.new`, path))],
])('it is not known any more of a file that was %s', async (_name, change) => {
  const { path, find } = await createNoted();
  await change(path);
  expect(await find()).toBeUndefined();
});

it('what is changed in the same moment as it was read is not taken for what was read', async () => {
  const { folder, layout } = await createNoted();
  for (let n = 0; n < 200; n++) {
    const path = join(folder, `quick-${n}`);
    await writeFile(path, 'before');
    const memory = openLocalDigests(layout);
    memory.note(path, statSync(path), md5('before'));
    const flushing = memory.flush();
    await writeFile(path, 'after!');
    await flushing;
    expect(await openLocalDigests(layout).find(statSync(path))).not.toBe(md5('before'));
  }
});

it('it is not known of a file that was changed within the tick of a clock that it was noted in', async () => {
  makeClockCoarse(100);
  const { folder, layout } = await createNoted();
  for (let n = 0; n < 3; n++) {
    const path = join(folder, `quick-${n}`);
    await writeFile(path, 'before');
    const memory = openLocalDigests(layout);
    memory.note(path, statSync(path), md5('before'));
    await memory.flush();
    expect(await openLocalDigests(layout).find(statSync(path))).toBe(md5('before'));
    await writeFile(path, 'after!');
    expect(await openLocalDigests(layout).find(statSync(path))).toBeUndefined();
  }
});

it.each([
  ['less than two seconds ago', 1_500, undefined],
  ['before that', 2_500, md5('content')],
])(
  'of a file on another disk, whose clock may be another one, it is known if that was changed %s',
  async (_when, ago, known) => {
    const now = Date.now();
    showStats(({ dev }, path) => (path.endsWith('/file') ? { dev: dev + 1, ctimeMs: now - ago } : { ctimeMs: now }));
    const { find } = await createNoted();
    expect(await find()).toBe(known);
  },
);

it('it is not known of a file that was changed in the future, since the clock was set back', async () => {
  showStats(({ ctimeMs }, path) => (path.endsWith('/file') ? { ctimeMs: ctimeMs + 3_600_000 } : {}));
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 500));
  onTestFinished(() => void clock.mockRestore());
  const { find } = await createNoted();
  expect(await find()).toBeUndefined();
});

it.each([
  ['no JSON', 'what?'],
  ['another form', '{"a": 1}'],
  ['a digest that is none', '[[[1, 2, 3, 4, 5], "../x"]]'],
])('a damaged memory is none: %s', async (_name, text) => {
  const { layout, path, find } = await createNoted();
  const folder = join(layout.root, '.gypsum-client/1/digests');
  for (const name of readdirSync(folder)) await writeFile(join(folder, name), text);
  expect(await find()).toBeUndefined();
  const memory = openLocalDigests(layout);
  memory.note(path, statSync(path), md5('content'));
  await memory.flush();
  expect(await find()).toBe(md5('content'));
});

it('it forgets the oldest: the memory is bounded', async () => {
  const { layout, path } = await createNoted();
  const stats = statSync(path);
  const shard = layout.digests((stats.ino % 256).toString(16).padStart(2, '0'));
  const others = Array.from({ length: 5000 }, (_, n) => [[1, n, 1, 1, 1], md5('x')]);
  await mkdir(join(shard, '..'), { recursive: true });
  await writeFile(shard, JSON.stringify(others));
  const memory = openLocalDigests(layout);
  memory.note(path, stats, md5('content'));
  await memory.flush();
  expect(await openLocalDigests(layout).find(stats)).toBe(md5('content'));
  expect(statSync(shard).size).toBeLessThan(1100 * 60);
});
