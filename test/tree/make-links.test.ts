import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GypsumEvent } from '../../src/events.ts';
import type { applySteps } from '../../src/tree/apply.ts';
import type { MakeStep } from '../../src/tree/step.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Threads are started from what is built. */
const built = pathToFileURL(join(import.meta.dirname, '../../dist/src/tree/apply.js')).href;
const { applySteps: apply } = (await import(built)) as { applySteps: typeof applySteps };

const target = (path: string) => `/bucket/${path}`;
const link = (path: string): MakeStep => ({ path, after: { type: 'symlink', target: target(path) } });

/** Links in a folder of each of these sizes, behind each other, and what makes them. */
function stepsOf(sizes: readonly number[]) {
  const paths = sizes.flatMap((size, n) => Array.from({ length: size }, (_, at) => `d${n}/sub/f${at}`));
  const folders = sizes.flatMap((_, n) => [`d${n}`, `d${n}/sub`]);
  const steps = sizes.flatMap((_, n): MakeStep[] => [
    ...[`d${n}`, `d${n}/sub`].map((path) => ({ path, after: { type: 'directory' } }) as const),
    ...paths.filter((path) => path.startsWith(`d${n}/`)).map(link),
  ]);
  return { paths, folders, steps };
}

function countThreads(): () => number {
  let started = 0;
  const count = () => void started++;
  process.on('worker', count);
  onTestFinished(() => void process.off('worker', count));
  return () => started;
}

const THREADS = availableParallelism() > 1 ? 1 : 0;

describe('many links', () => {
  it.each([
    ['folders of one size', Array<number>(20).fill(400)],
    ['one folder', [6_000]],
    ['a large folder and small ones', [5_000, ...Array<number>(600).fill(2)]],
    ['small folders and a large one', [...Array<number>(600).fill(2), 5_000]],
  ])('are made by two threads: %s', async (_, sizes) => {
    const root = await tempFolder();
    const threads = countThreads();
    const { paths, folders, steps } = stepsOf(sizes);
    const events: GypsumEvent[] = [];
    await apply(root, steps, { onEvent: (event) => void events.push(event) });
    expect(threads()).toBe(THREADS);
    expect(pathsBelow(root).toSorted()).toEqual([...folders, ...paths].toSorted());
    expect(paths.every((path) => readlinkSync(join(root, path)) === target(path))).toBe(true);
    expect(events.reduce((sum, event) => sum + (event.type === 'progress' ? event.files : 0), 0)).toBe(steps.length);
  });

  it.runIf(process.platform === 'linux')('are made byte for byte', async () => {
    const root = await tempFolder();
    const { steps } = stepsOf(Array<number>(20).fill(300));
    const odd = (path: string): MakeStep => ({
      path: `${path}\udcff`,
      after: { type: 'symlink', target: `/x\udcfe${path}` },
    });
    await apply(
      root,
      steps.map((step) => (step.after.type === 'symlink' ? odd(step.path) : step)),
    );
    const names = readdirSync(join(root, 'd7/sub'), 'buffer');
    expect(names.every((name) => name.at(-1) === 0xff)).toBe(true);
    expect(names).toHaveLength(300);
    const place = Buffer.concat([Buffer.from(join(root, 'd0/sub/f0')), Buffer.of(0xff)]);
    expect(readlinkSync(place, 'buffer')).toEqual(
      Buffer.concat([Buffer.from('/x'), Buffer.of(0xfe), Buffer.from('d0/sub/f0')]),
    );
  });

  it.each([
    ['early, where the first thread is', 'd0/sub/f5'],
    ['late', 'd19/sub/f399'],
    ['in the middle', 'd9/sub/f200'],
    ['where the other thread begins', 'd1/sub/f0'],
  ])('are taken back if something is in the way of one: %s', async (_, path) => {
    const root = await tempFolder();
    const { steps } = stepsOf(Array<number>(20).fill(400));
    const isAbove = ({ path: folder, after }: MakeStep) => after.type === 'directory' && path.startsWith(`${folder}/`);
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), 'mine');
    await expect(
      apply(
        root,
        steps.filter((step) => !isAbove(step)),
      ),
    ).rejects.toMatchObject({ code: 'EEXIST' });
    const [top = '', sub = ''] = path.split('/');
    expect(pathsBelow(root).toSorted()).toEqual([top, `${top}/${sub}`, path]);
    expect(readFileSync(join(root, path), 'utf8')).toBe('mine');
  });

  it('are taken back when they are stopped, whichever thread made them', async () => {
    const root = await tempFolder();
    const { steps } = stepsOf(Array<number>(40).fill(1_000));
    const stop = new AbortController();
    const reason = new Error('enough');
    let seen = 0;
    const onEvent = (event: GypsumEvent) => {
      if (event.type === 'progress') seen += event.files;
      if (seen > 5_000) stop.abort(reason);
    };
    await expect(apply(root, steps, { onEvent, signal: stop.signal })).rejects.toBe(reason);
    expect(seen).toBeLessThan(steps.length);
    expect(readdirSync(root)).toEqual([]);
  });

  it('are not made through a symlink that has taken the place of a folder', async () => {
    const root = await tempFolder();
    const outside = await tempFolder();
    const { steps } = stepsOf(Array<number>(40).fill(1_000));
    const onEvent = (event: GypsumEvent) => {
      if (
        event.type !== 'progress' ||
        lstatSync(join(root, 'd39/sub'), { throwIfNoEntry: false })?.isDirectory() !== true
      )
        return;
      rmSync(join(root, 'd39/sub'), { recursive: true });
      symlinkSync(outside, join(root, 'd39/sub'));
    };
    await expect(apply(root, steps, { onEvent })).rejects.toMatchObject({ code: 'file-changed' });
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(root)).toEqual(['d39']);
  });

  it('need no thread where they are few', async () => {
    const root = await tempFolder();
    const threads = countThreads();
    const { paths, steps } = stepsOf([4_999]);
    await apply(root, steps);
    expect(readdirSync(join(root, 'd0/sub'))).toHaveLength(paths.length);
    expect(threads()).toBe(0);
  });
});
