import { expect, it, onTestFinished, vi } from 'vitest';
import { createHints } from '../../src/ops/change-hints.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('folders of which nothing is told are read from time to time, and sooner, then later and later, where something failed', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const hints = createHints([await tempFolder()], { scanEvery: 60_000, watch: true, onLost: undefined });
  onTestFinished(hints.close);
  expect(hints.take()).toBe(true);
  hints.done(true);
  // What came before they were watched was not heard of.
  await expect.poll(() => hints.take(), { timeout: 20_000 }).toBe(true);
  const seconds = (): number => {
    for (let second = 1; ; second++) {
      vi.advanceTimersByTime(1000);
      if (hints.take()) return second;
    }
  };
  const found = [true, false, false, false, false, false, true].map((isWell) => {
    hints.done(isWell);
    return seconds();
  });
  expect(found).toEqual([60, 5, 10, 20, 40, 60, 60]);
});
