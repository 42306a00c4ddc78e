import { describe, expect, it } from 'vitest';
import { delay } from '../mocks/index.ts';
import { followEvents, type GypsumEvent, type OnEvent } from '../src/index.ts';
import { createRig } from './helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const seed = { versions: { 'p/a/v1': { 'a.txt': 'content of a', 'b.txt': 'content of b' } } };

const progress = (files: number, bytes: number): GypsumEvent => ({ type: 'progress', task: 'send', files, bytes });
const started: GypsumEvent = { type: 'start', task: 'send', files: 2, bytes: 30 };
const ended: GypsumEvent = { type: 'end', task: 'send' };
const retried: GypsumEvent = { type: 'retry', what: 'Sending', attempt: 1, error: new Error('busy') };

async function readAll(events: AsyncIterable<GypsumEvent>): Promise<GypsumEvent[]> {
  const read: GypsumEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

describe('the events of a call', () => {
  it('come one by one, and end with the call, whose result is there', async () => {
    const { client } = await createRig(seed);
    const saving = followEvents((call) => client.saveVersion(V1, call));
    const events = await readAll(saving);
    expect(events[0]).toMatchObject({ type: 'start', task: 'fetch', files: 2, bytes: 24 });
    expect(events.at(-1)).toEqual({ type: 'end', task: 'fetch' });
    const bytes = events.map((event) => (event.type === 'progress' ? event.bytes : 0));
    expect(bytes.reduce((sum, more) => sum + more, 0)).toBe(24);
    expect(await saving.result).toMatchObject({ files: 2 });
  });

  it('end with the error of the call, after all that happened before', async () => {
    const broken = new Error('broken');
    const following = followEvents(async ({ onEvent }) => {
      onEvent?.(started);
      throw broken;
    });
    // By then the call is over, and nobody has read anything yet.
    await new Promise((resolve) => setTimeout(resolve, 10));
    const read: GypsumEvent[] = [];
    const reading = (async () => {
      for await (const event of following) read.push(event);
    })();
    await expect(reading).rejects.toBe(broken);
    expect(read).toEqual([started]);
    await expect(following.result).rejects.toBe(broken);
  });

  it('that nobody has read yet are added up where they are progress, in their order', async () => {
    const following = followEvents(async ({ onEvent }) => {
      for (const event of [started, progress(0, 10), retried, progress(1, -4), ended, started, progress(1, 24), ended])
        onEvent?.(event);
    });
    expect(await readAll(following)).toEqual([
      started,
      progress(1, 6),
      retried,
      ended,
      started,
      progress(1, 24),
      ended,
    ]);
  });

  it('that nobody reads take no more memory than a few thousand', async () => {
    const before = { ...retried };
    const following = followEvents(async ({ onEvent }) => {
      onEvent?.(before);
      for (let n = 0; n < 100_000; n++) {
        onEvent?.(retried);
        onEvent?.(progress(1, 2));
      }
    });
    const events = await readAll(following);
    expect(events).toHaveLength(10_000);
    expect(events).not.toContain(before);
  });

  it('are what a reader gets that is as fast as they come', async () => {
    let tell: OnEvent = () => {};
    let finish = () => {};
    const following = followEvents(({ onEvent }) => {
      tell = onEvent ?? tell;
      return new Promise<void>((resolve) => (finish = resolve));
    });
    const reader = following[Symbol.asyncIterator]();
    for (const event of [started, progress(1, 2), progress(1, 3)]) {
      const next = reader.next();
      tell(event);
      expect((await next).value).toEqual(event);
    }
    const last = reader.next();
    finish();
    expect(await last).toEqual({ value: undefined, done: true });
  });
});

describe('a call whose events are read', () => {
  it('stops with its signal, whose reason the loop throws', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(delay(60_000), { key: 'p/a/v1/a.txt' });
    const stop = new AbortController();
    const saving = followEvents((call) => client.saveVersion(V1, call), { signal: stop.signal });
    const reading = (async () => {
      for await (const event of saving) if (event.type === 'start') stop.abort('enough');
    })();
    await expect(reading).rejects.toBe('enough');
  });

  it('stops when the loop is left, and has ended by then', async () => {
    const { client, registry } = await createRig(seed);
    registry.inject(delay(60_000), { key: 'p/a/v1/a.txt' });
    const saving = followEvents((call) => client.saveVersion(V1, call));
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    saving.result.then(over, over);
    for await (const event of saving) if (event.type === 'start') break;
    expect(isOver).toBe(true);
    await expect(saving.result).rejects.toThrow('Nobody reads');
  });
});
