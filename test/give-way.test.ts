import { expect, it, onTestFinished, vi } from 'vitest';
import { createPace, sleep } from '../src/give-way.ts';

it('a loop gives way when 50 ms have passed, and then holds the thread for 50 ms more', async () => {
  let now = 1_000;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const pace = createPace();
  expect(pace.due()).toBe(false);
  now += 49;
  expect(pace.due()).toBe(false);
  now += 1;
  expect(pace.due()).toBe(true);
  await pace.rest();
  expect(pace.due()).toBe(false);
  now += 50;
  expect(pace.due()).toBe(true);
});

it('others have their turn while a loop rests', async () => {
  let turns = 0;
  setTimeout(() => turns++, 0);
  const pace = createPace();
  while (turns === 0) await pace.rest();
  expect(turns).toBe(1);
});

it.each([new Error('enough'), 'enough'])('a loop that rests throws the reason of its signal: %s', async (reason) => {
  const stop = new AbortController();
  const pace = createPace(stop.signal);
  await pace.rest();
  const resting = pace.rest();
  stop.abort(reason);
  await expect(resting).rejects.toBe(reason);
});

it.each([new Error('enough'), 'enough'])('sleep ends with the reason of its signal: %s', async (reason) => {
  const stop = new AbortController();
  const sleeping = sleep(2 ** 30, stop.signal);
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(sleep(2 ** 30, AbortSignal.abort(reason))).rejects.toBe(reason);
});

it('sleep ends by itself', async () => {
  await sleep(1);
  await sleep(1, new AbortController().signal);
});
