import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { withLock } from '../../src/cache/locks.ts';
import type { LockOwner } from '../../src/process-owner.ts';
import { thisProcess } from '../../src/process-owner.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** A promise that others settle. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await once(child, 'exit');
  if (child.pid === undefined) throw new Error('no process was started');
  return child.pid;
}

/** A lock that somebody holds, who last touched it a second ago. */
async function heldLock(owner?: unknown) {
  const folder = join(await tempFolder(), 'locks/p/a/v');
  mkdirSync(join(folder, 'held'), { recursive: true });
  if (owner !== undefined) writeFileSync(join(folder, 'owner.json'), JSON.stringify(owner));
  return folder;
}

describe('a lock', () => {
  it('gives what the work gives, and is free afterwards', async () => {
    const folder = join(await tempFolder(), 'locks/p/a/v');
    expect(await withLock(createLayout(folder), folder, async () => existsSync(join(folder, 'held')))).toBe(true);
    expect(existsSync(join(folder, 'held'))).toBe(false);
    expect(await withLock(createLayout(folder), folder, async () => 'again')).toBe('again');
  });

  it('is free also after work that failed', async () => {
    const folder = join(await tempFolder(), 'lock');
    const failure = new Error('failed');
    await expect(withLock(createLayout(folder), folder, () => Promise.reject(failure))).rejects.toBe(failure);
    expect(await withLock(createLayout(folder), folder, async () => 'again')).toBe('again');
  });

  it('lets one work at a time, and tells those who wait once', async () => {
    const folder = join(await tempFolder(), 'lock');
    const [first, waiting] = [gate(), gate()];
    const order: string[] = [];
    let told = 0;
    const one = withLock(createLayout(folder), folder, async () => {
      await first.opened;
      order.push('one');
    });
    await expect.poll(() => existsSync(join(folder, 'held'))).toBe(true);
    const onWait = () => {
      told++;
      waiting.open();
    };
    const two = withLock(createLayout(folder), folder, async () => void order.push('two'), { onWait });
    await waiting.opened;
    first.open();
    await Promise.all([one, two]);
    expect(order).toEqual(['one', 'two']);
    expect(told).toBe(1);
  });

  it.each([new Error('enough'), 'enough'])('is waited for no longer than the signal lets: %s', async (reason) => {
    const folder = await heldLock({ host: hostname(), pid: process.pid });
    const stop = new AbortController();
    const waiting = withLock(createLayout(folder), folder, () => Promise.reject(new Error('never')), {
      signal: stop.signal,
      onWait: () => void setImmediate(() => stop.abort(reason)),
    });
    await expect(waiting).rejects.toBe(reason);
    expect(existsSync(join(folder, 'held'))).toBe(true);
  });

  it('is not asked for with a signal that is aborted', async () => {
    const folder = join(await tempFolder(), 'lock');
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    await expect(
      withLock(createLayout(folder), folder, () => Promise.reject(new Error('never')), { signal }),
    ).rejects.toBe(reason);
    expect(existsSync(join(folder, 'held'))).toBe(false);
  });

  it('of a process of this machine that was killed is taken over without waiting', async () => {
    const folder = await heldLock({ host: hostname(), pid: await deadProcess() });
    const onWait = () => expect.unreachable('it waited');
    expect(await withLock(createLayout(folder), folder, async () => 'done', { onWait })).toBe('done');
  });

  it('of a process that was killed is taken over by many, one after the other, and none of them fails', async () => {
    const pid = await deadProcess();
    for (let round = 0; round < 4; round++) {
      const folder = await heldLock({ host: hostname(), pid });
      let working = 0;
      const work = async () => {
        expect(++working).toBe(1);
        await setTimeout(5);
        working--;
        return 'done';
      };
      const works = Array.from({ length: 8 }, () => withLock(createLayout(folder), folder, work));
      expect(await Promise.all(works)).toEqual(works.map(() => 'done'));
    }
  });

  it('that nobody has touched for long is taken over without waiting, whoever has it', async () => {
    const folder = await heldLock({ host: 'elsewhere', pid: 1 });
    const longAgo = Date.now() / 1000 - 60;
    utimesSync(join(folder, 'held'), longAgo, longAgo);
    const onWait = () => expect.unreachable('it waited');
    expect(await withLock(createLayout(folder), folder, async () => 'done', { onWait })).toBe('done');
  });

  it.each([
    ['another machine', async () => ({ host: 'elsewhere', pid: await deadProcess() })],
    ['a process that lives', async () => ({ host: hostname(), pid: process.pid })],
    ['nobody knows whom', async () => undefined],
    ['what is no process', async () => ({ host: hostname(), pid: -1 })],
  ])('of %s is waited for', async (_what, owner) => {
    const folder = await heldLock(await owner());
    const onWait = () => rmSync(join(folder, 'held'), { recursive: true });
    let waited = false;
    await withLock(createLayout(folder), folder, async () => {}, {
      onWait: () => {
        waited = true;
        onWait();
      },
    });
    expect(waited).toBe(true);
  });

  it('that was taken away does not fail the work', async () => {
    const folder = join(await tempFolder(), 'lock');
    const done = withLock(createLayout(folder), folder, async () => {
      rmSync(folder, { recursive: true });
      return 'done';
    });
    expect(await done).toBe('done');
  });

  it('says who has it to those who wait', async () => {
    const folder = join(await tempFolder(), 'lock');
    const { open, opened } = gate();
    const before = new Date();
    const one = withLock(createLayout(folder), folder, () => opened);
    await expect.poll(() => existsSync(join(folder, 'owner.json'))).toBe(true);
    let owner: LockOwner | undefined;
    await withLock(createLayout(folder), folder, async () => {}, {
      onWait(found) {
        owner = found;
        open();
      },
    });
    await one;
    const { since = '', ...rest } = owner ?? {};
    expect(rest).toEqual({ ...thisProcess(), user: userInfo().username });
    expect(new Date(since).getTime()).toBeGreaterThanOrEqual(before.getTime());
  });

  it('is held where nothing is known of its owner but what an older client writes', async () => {
    const folder = await heldLock({ host: 'elsewhere', pid: 7 });
    let owner: LockOwner | undefined;
    await withLock(createLayout(folder), folder, async () => {}, {
      onWait(found) {
        owner = found;
        rmSync(join(folder, 'held'), { recursive: true });
      },
    });
    expect(owner).toEqual({ host: 'elsewhere', pid: 7 });
  });

  it.each([
    ['ahead', 86_400],
    ['behind, but not as far as that it would be old', -1],
  ])('of another machine whose clock was %s is taken over when nobody touches it', async (_how, seconds) => {
    const folder = await heldLock({ host: 'elsewhere', pid: 1 });
    const time = Date.now() / 1000 + seconds;
    utimesSync(join(folder, 'held'), time, time);
    let waited = 0;
    await withLock(createLayout(folder), folder, async () => {}, { stale: 2000, onWait: () => void waited++ });
    expect(waited).toBe(1);
  });

  it('that is touched is not taken over, whatever clock it is touched by', async () => {
    const folder = await heldLock({ host: 'elsewhere', pid: 1 });
    const stop = new AbortController();
    let beats = 0;
    const heart = setInterval(() => {
      const time = Date.now() / 1000 + 86_400 + beats++;
      utimesSync(join(folder, 'held'), time, time);
      if (beats === 30) stop.abort(new Error('long enough'));
    }, 100);
    const waiting = withLock(createLayout(folder), folder, () => Promise.reject(new Error('never')), {
      signal: stop.signal,
      stale: 2000,
    });
    await expect(waiting).rejects.toThrow('long enough');
    clearInterval(heart);
  });

  it('that cannot be described is let go', async () => {
    const folder = join(await tempFolder(), 'lock');
    mkdirSync(join(folder, 'owner.json'), { recursive: true });
    await expect(withLock(createLayout(folder), folder, async () => {})).rejects.toThrow(/EISDIR|EEXIST|EPERM/);
    expect(existsSync(join(folder, 'held'))).toBe(false);
  });
});
