import { describe, expect, it } from 'vitest';
import { createTracker, type Progress } from '../../src/cli/progress.ts';
import type { GypsumEvent, Task } from '../../src/events.ts';

const MB = 1_000_000;
const REF = { project: 'p', asset: 'a', version: 'v1' };

const start = (files: number, bytes: number, task: Task = 'fetch'): GypsumEvent => ({
  type: 'start',
  task,
  files,
  bytes,
});
const progress = (files: number, bytes: number, task: Task = 'fetch'): GypsumEvent => ({
  type: 'progress',
  task,
  files,
  bytes,
});
const end = (task: Task = 'fetch'): GypsumEvent => ({ type: 'end', task });

/** Counts events at their times, looks each time, and gives what was seen last. Units: milliseconds */
function look(...events: [at: number, event?: GypsumEvent][]): Progress | undefined {
  const tracker = createTracker();
  let last: Progress | undefined;
  for (const [at, event] of events) {
    if (event !== undefined) tracker.count(event, at);
    last = tracker.look(at);
  }
  return last;
}

describe('a task', () => {
  it('is shown from its start to its end', () => {
    const tracker = createTracker();
    expect(tracker.look(0)).toBeUndefined();
    tracker.count(start(10, 4 * MB), 5);
    tracker.count(progress(3, MB), 7);
    expect(tracker.look(8)).toEqual({
      task: 'fetch',
      since: 5,
      files: { done: 3, total: 10 },
      bytes: { done: MB, total: 4 * MB },
      fraction: 0.25,
    });
    tracker.count(end(), 9);
    expect(tracker.look(9)).toBeUndefined();
  });

  it('gives its place to one that begins later, and has it back', () => {
    const begun = [start(1, 1), start(1, 1, 'scan')].map((event): [number, GypsumEvent] => [0, event]);
    expect(look(...begun)?.task).toBe('scan');
    expect(look(...begun, [1, end('scan')])?.task).toBe('fetch');
  });

  it('that two calls work at adds up, and ends with the second', () => {
    const both: [number, GypsumEvent][] = [
      [0, start(2, 20)],
      [1, start(3, 30)],
      [2, progress(1, 10)],
      [3, end()],
    ];
    expect(look(...both)).toMatchObject({ files: { done: 1, total: 5 }, bytes: { done: 10, total: 50 } });
    expect(look(...both, [4, end()])).toBeUndefined();
  });

  it('whose size nobody knows has counts and no fraction', () => {
    const scan = look([0, start(0, 0, 'scan')], [3000, progress(7, 0, 'scan')]);
    expect(scan).toEqual({ task: 'scan', since: 0, files: { done: 7, total: 0 }, bytes: { done: 0, total: 0 } });
  });

  it('without bytes is measured by its files', () => {
    const clone = look([0, start(8, 0, 'clone')], [2000, progress(2, 0, 'clone')]);
    expect(clone).toMatchObject({ fraction: 0.25, left: 6 });
    expect(clone).not.toHaveProperty('rate');
  });

  it.each<GypsumEvent>([
    { type: 'upload-aborted', ref: REF },
    { type: 'upload-kept', ref: REF },
    { type: 'upload-abandoned', ref: REF, error: new Error('gone'), isRecorded: true },
  ])('that failed is over when the upload is: $type', (event) => {
    expect(look([0, start(1, 1, 'send')], [1, event])).toBeUndefined();
  });

  it('that never began is not shown', () => {
    expect(look([0, progress(1, 1)], [1, end()])).toBeUndefined();
  });
});

describe('bytes that a retry takes back', () => {
  const carried: [number, GypsumEvent][] = [
    [0, start(1, 10 * MB)],
    [1000, progress(0, 2 * MB)],
    [2000, progress(0, 2 * MB)],
    [2000, progress(0, -4 * MB)],
  ];

  it('are missing from what is done, and not from the rate', () => {
    expect(look(...carried)).toMatchObject({ bytes: { done: 0 }, fraction: 0, rate: 2 * MB, left: 5 });
  });

  it('never make less than nothing', () => {
    expect(look(...carried, [2001, progress(0, -MB)])).toMatchObject({ bytes: { done: 0 }, fraction: 0 });
  });
});

describe('the rate', () => {
  it('is not said before a second has passed, nor the time that is left', () => {
    const early = look([0, start(1, 10 * MB)], [500, progress(0, MB)], [999]);
    expect(early).not.toHaveProperty('rate');
    expect(early).not.toHaveProperty('left');
    expect(look([0, start(1, 10 * MB)], [500, progress(0, MB)], [1000])).toMatchObject({ rate: MB, left: 9 });
  });

  it('is that of the last seconds', () => {
    const tracker = createTracker();
    tracker.count(start(1, 1000 * MB), 0);
    for (let at = 100; at <= 10_000; at += 100) tracker.count(progress(0, MB), at);
    expect(tracker.look(10_000)?.rate).toBeCloseTo(10 * MB, -6);
    for (let at = 10_100; at <= 20_000; at += 100) tracker.count(progress(0, MB / 10), at);
    const now = tracker.look(20_000);
    expect(now?.rate).toBeCloseTo(MB, -5);
    expect(now?.left).toBeCloseTo((890 * MB) / (now?.rate ?? 0));
  });

  it('comes to nothing where nothing moves; then nobody knows how long it takes', () => {
    const looks = Array.from({ length: 60 }, (_, n): [number] => [1100 + n * 100]);
    const stalled = look([0, start(1, 10 * MB)], [1000, progress(0, MB)], ...looks);
    expect(stalled?.rate).toBe(0);
    expect(stalled).not.toHaveProperty('left');
  });

  it('is whole again where a task that was looked at seldom moves', () => {
    const seldom = look([0, start(1, 100 * MB)], [30_000, progress(0, 60 * MB)], [30_000]);
    expect(seldom?.rate).toBe(2 * MB);
  });

  it('leaves nothing to wait for where more came than was said', () => {
    expect(look([0, start(1, MB)], [2000, progress(0, 2 * MB)])).toMatchObject({ fraction: 1, left: 0 });
  });
});
