import { expect, it, onTestFinished, vi } from 'vitest';
import { createHints } from '../../src/ops/change-hints.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('folders of which nothing is told are read from time to time, and sooner, then later and later, where something failed', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const hints = createHints([await tempFolder()], { scanEvery: 60_000, watch: true, onLost: undefined });
  onTestFinished(hints.close);
  expect(hints.take()).toBe(true);
  hints.done(true, true);
  // What came before they were watched was not heard of.
  await expect.poll(() => hints.take(), { timeout: 20_000 }).toBe(true);
  const seconds = (): number => {
    for (let second = 1; ; second++) {
      vi.advanceTimersByTime(1000);
      if (hints.take()) return second;
    }
  };
  const found = [true, false, false, false, false, false, true].map((isWell) => {
    hints.done(isWell, true);
    return seconds();
  });
  expect(found).toEqual([60, 5, 10, 20, 40, 60, 60]);
});

it('folders that take long to be read are left alone for longer, but no longer than until they are read anyway', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const hints = createHints([await tempFolder()], { scanEvery: 60_000, watch: false, onLost: undefined });
  onTestFinished(hints.close);
  /** Reads them, and gives how long nobody does then. */
  const readFor = (milliseconds: number, isIdle: boolean): number => {
    expect(hints.take()).toBe(true);
    vi.advanceTimersByTime(milliseconds);
    hints.done(true, isIdle);
    for (let rest = 0; ; rest += 100) {
      if (hints.take()) return rest;
      vi.advanceTimersByTime(100);
    }
  };
  expect(readFor(5000, false)).toBe(0);
  expect(readFor(5000, true)).toBe(20_000);
  expect(readFor(50_000, false)).toBe(20_000);
  expect(readFor(50_000, true)).toBe(60_000);
  expect(readFor(0, true)).toBe(0);
});
