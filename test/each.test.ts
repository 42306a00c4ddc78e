import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { each } from '../src/each.ts';

/** A promise that others settle. */
function gate<T = void>() {
  let open: (value: T) => void = () => {};
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('each', () => {
  it('works on every item once', async () => {
    const seen: number[] = [];
    await each([1, 2, 3, 4, 5], { concurrency: 2 }, async (item) => {
      await setImmediate();
      seen.push(item);
    });
    expect(seen.sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('has nothing to do with no items', async () => {
    await each([], { concurrency: 4 }, () => Promise.reject(new Error('never')));
  });

  it('works on as many at once as it is told, and takes an item only when it is free', async () => {
    let running = 0;
    let most = 0;
    let taken = 0;
    function* items() {
      for (; taken < 20; taken++) yield taken;
    }
    await each(items(), { concurrency: 3 }, async () => {
      most = Math.max(most, ++running);
      expect(taken).toBeLessThan(20);
      await setImmediate();
      running--;
    });
    expect(most).toBe(3);
  });

  it('throws the first failure when all have ended, and starts no more', async () => {
    const first = new Error('first');
    const ended = gate();
    const started: number[] = [];
    let over = false;
    const working = each([0, 1, 2, 3], { concurrency: 2 }, async (item, signal) => {
      started.push(item);
      if (item === 0) throw first;
      await ended.opened;
      expect(signal.reason).toBe(first);
      throw new Error('second');
    }).finally(() => {
      over = true;
    });
    const outcome = expect(working).rejects.toBe(first);
    await setImmediate();
    expect(over).toBe(false);
    ended.open();
    await outcome;
    expect(started).toEqual([0, 1]);
  });

  it.each([undefined, null, 0, 'text'])('throws %j too, if that is what was thrown', async (thrown) => {
    const outcome = await each([1], { concurrency: 1 }, () => Promise.reject(thrown)).catch((error: unknown) => [
      error,
    ]);
    expect(outcome).toEqual([thrown]);
  });

  it('throws what the items throw', async () => {
    const broken = new Error('broken');
    function* items() {
      yield 1;
      throw broken;
    }
    await expect(each(items(), { concurrency: 2 }, async () => {})).rejects.toBe(broken);
  });

  it.each([new Error('enough'), 'enough', Object.assign(new Error(), { name: 'AbortError' })])(
    'throws the reason of its signal: %s',
    async (reason) => {
      const stop = new AbortController();
      const aborted: boolean[] = [];
      const working = each([0, 1, 2], { concurrency: 1, signal: stop.signal }, async (_item, signal) => {
        stop.abort(reason);
        aborted.push(signal.aborted);
        throw new Error('broken by it');
      });
      await expect(working).rejects.toBe(reason);
      expect(aborted).toEqual([true]);
    },
  );

  it('takes no item more once its signal is aborted, also where nothing breaks by that', async () => {
    const stop = new AbortController();
    const started: number[] = [];
    const working = each([0, 1, 2], { concurrency: 1, signal: stop.signal }, async (item) => {
      started.push(item);
      stop.abort('enough');
    });
    await expect(working).rejects.toBe('enough');
    expect(started).toEqual([0]);
  });

  it('starts nothing with a signal that is aborted', async () => {
    const reason = new Error('enough');
    const work = () => Promise.reject(new Error('never'));
    await expect(each([1], { concurrency: 1, signal: AbortSignal.abort(reason) }, work)).rejects.toBe(reason);
  });

  it.each([0, -1, 1.5, 257, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses to work on %s at once, rather than to do nothing',
    async (concurrency) => {
      const working = each([1], { concurrency }, async () => {});
      await expect(working).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );
});
