import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createMutex } from '../../src/server/mutex.ts';

/** Work that notes when it begins and ends, which is when it is told to. */
function createWork() {
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => async () => {
    log.push(name);
    await new Promise<void>((resolve) => ends.set(name, resolve));
    log.push(`${name}.`);
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await setImmediate();
  };
  return { log, work, end };
}

describe('work that has a name to itself', () => {
  it('is done one after the other, beside that of other names', async () => {
    const { run } = createMutex();
    const { log, work, end } = createWork();
    const all = [run('p', work('a')), run('p', work('b')), run('q', work('c'))];
    await setImmediate();
    expect(log).toEqual(['a', 'c']);
    await end('a');
    await end('b');
    await end('c');
    await Promise.all(all);
    expect(log).toEqual(['a', 'c', 'a.', 'b', 'b.', 'c.']);
  });

  it('waits for what shares the name, and what comes to share it later waits for that', async () => {
    const { run, share } = createMutex();
    const { log, work, end } = createWork();
    const all = [share('p', work('a')), share('p', work('b')), run('p', work('alone')), share('p', work('late'))];
    await setImmediate();
    expect(log).toEqual(['a', 'b']);
    await end('b');
    expect(log).toEqual(['a', 'b', 'b.']);
    await end('a');
    expect(log.slice(3)).toEqual(['a.', 'alone']);
    await end('alone');
    expect(log.slice(5)).toEqual(['alone.', 'late']);
    await end('late');
    await Promise.all(all);
  });

  it('is counted when it has ended, before what waits for it begins', async () => {
    const mutex = createMutex();
    const seen: number[] = [];
    const look = async () => void seen.push(mutex.turns);
    await Promise.all([mutex.share('p', look), mutex.run('p', look), mutex.share('p', look), mutex.run('p', look)]);
    expect(seen).toEqual([0, 0, 1, 1]);
    expect(mutex.turns).toBe(2);
  });

  it('that fails is told to whoever asked for it, and to nobody else', async () => {
    const { run, share } = createMutex();
    const fail = async () => Promise.reject(new Error('failed'));
    const all = [run('p', fail), share('p', fail), run('p', async () => 'done'), share('p', async () => 'shared')];
    expect(await Promise.allSettled(all)).toMatchObject([
      { reason: { message: 'failed' } },
      { reason: { message: 'failed' } },
      { value: 'done' },
      { value: 'shared' },
    ]);
  });
});
