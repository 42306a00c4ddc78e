import { describe, expect, it } from 'vitest';
import { repeat } from '../../src/ops/repeat.ts';

/** Has runs take some time each, by a clock of its own; gives when they began, in seconds. */
async function begins(
  every: number,
  takes: readonly (number | 'fails' | 'throws')[],
  isDelayed = false,
): Promise<number[]> {
  const [stop, reason] = [new AbortController(), new Error('enough')];
  let now = 1_000_000;
  const found: number[] = [];
  const errors: unknown[] = [];
  await repeat(
    async () => {
      const took = takes[found.length];
      found.push((now - 1_000_000) / 1000);
      if (found.length === takes.length) stop.abort(reason);
      now += typeof took === 'number' ? took * 1000 : 1000;
      if (took === 'throws') throw new Error('it throws');
      return took !== 'fails';
    },
    {
      every: every * 1000,
      isDelayed,
      until: stop.signal,
      onError: (error) => errors.push(error),
      now: () => now,
      async wait(milliseconds, signal) {
        signal?.throwIfAborted();
        now += milliseconds;
      },
    },
  );
  expect(errors).toHaveLength(takes.filter((took) => took === 'throws').length);
  return found;
}

describe('what is done again and again', () => {
  it('begins at once, and then at times that do not depend on how long it takes', async () => {
    expect(await begins(60, [1, 20, 59, 5])).toEqual([0, 60, 120, 180]);
  });

  it('begins when the first interval has passed, if it is delayed', async () => {
    expect(await begins(60, [1, 20, 59, 5], true)).toEqual([60, 120, 180, 240]);
  });

  it('never overlaps, and is done once for all times that were missed', async () => {
    expect(await begins(60, [200, 1, 1])).toEqual([0, 240, 300]);
  });

  it('is done sooner if it failed, and later and later, but no later than it is due', async () => {
    expect(await begins(60, ['throws', 'fails', 'throws', 'throws', 1, 1])).toEqual([0, 6, 17, 38, 60, 120]);
    expect(await begins(2, ['fails', 1, 1])).toEqual([0, 2, 4]);
  });

  it('waits for weeks, too, longer than a timer goes', async () => {
    expect(await begins(30 * 86_400, [1, 1])).toEqual([0, 30 * 86_400]);
  });

  it('ends at once while it waits, and does not begin where it is to end', async () => {
    const stop = new AbortController();
    let runs = 0;
    const repeated = repeat(
      async () => {
        runs++;
        setTimeout(() => stop.abort(new Error('enough')));
        return true;
      },
      { every: 3_600_000, until: stop.signal, onError: () => {} },
    );
    await repeated;
    await repeat(async () => ++runs > 0, { every: 1, until: stop.signal, onError: () => {} });
    expect(runs).toBe(1);
  });

  it('ends where nobody wants to hear of an error, with what is thrown instead', async () => {
    let runs = 0;
    const repeated = repeat(
      async () => {
        runs++;
        throw new Error('it throws');
      },
      {
        every: 1,
        until: new AbortController().signal,
        onError(error) {
          if (runs === 3) throw error;
        },
        wait: async () => {},
      },
    );
    await expect(repeated).rejects.toThrow('it throws');
    expect(runs).toBe(3);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('is not done every %d milliseconds', async (every) => {
    const { signal } = new AbortController();
    await expect(repeat(async () => true, { every, until: signal, onError: () => {} })).rejects.toMatchObject({
      code: 'invalid-argument',
    });
  });
});
