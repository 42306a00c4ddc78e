import { describe, expect, it } from 'vitest';
import { createRegistry, type Storage } from '../../src/server/index.ts';
import { checkInvariants } from './invariants.ts';
import { type MemoryStorage, memoryStorage } from './memory-storage.ts';
import { mortal } from './mortal.ts';
import { namesAsTokens } from './rig.ts';
import { type Talk, talkTo } from './talk.ts';

const open = async (storage: Storage) =>
  talkTo(await createRegistry({ storage, identity: namesAsTokens, secret: Buffer.alloc(32, 7) }));

const FILES = { 'x.txt': 'hello', 'dir/y.txt': 'world', 'dir/deep/z.txt': '!' };

/** Two assets; of `a` two versions are official, `v3` and `v4` on probation, and `v2` links to `v1`. */
async function prepared(): Promise<MemoryStorage> {
  const storage = memoryStorage();
  const talk = await open(storage);
  const permissions = { owners: ['owner'], uploaders: [{ id: 'uploader' }] };
  await talk.status('POST', '/create/p', { token: 'admin', body: { permissions } });
  await talk.publish('p/a/v1', FILES);
  await talk.publish('p/a/v2', { ...FILES, 'new.txt': 'new' }, { type: 'dedup' });
  await talk.publish('p/a/v3', { 'x.txt': 'on probation' }, { token: 'uploader' });
  await talk.publish('p/b/v1', FILES);
  return storage;
}

interface Case {
  readonly what: string;
  /** What is there before, beside what always is. */
  readonly before?: (talk: Talk) => Promise<unknown>;
  readonly work: (talk: Talk) => Promise<number>;
  /** The work cannot be left half done by a crash, or else by a restart after it. @default true */
  readonly isWhole?: boolean;
  readonly abandoned?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'an approval',
    work: (talk) => talk.status('POST', '/probation/approve/p/a/v3', { token: 'owner' }),
  },
  {
    what: 'a rejection',
    work: (talk) => talk.status('POST', '/probation/reject/p/a/v3', { token: 'uploader' }),
  },
  {
    what: 'the removal of the latest version',
    work: (talk) => talk.status('DELETE', '/remove/p/a/v2', { token: 'admin' }),
  },
  {
    what: 'the removal of another version',
    work: (talk) => talk.status('DELETE', '/remove/p/a/v1', { token: 'admin' }),
  },
  {
    what: 'the removal of the only version',
    work: (talk) => talk.status('DELETE', '/remove/p/b/v1', { token: 'admin' }),
  },
  {
    what: 'the removal of an abandoned version',
    before: async (talk) => {
      await talk.send(await talk.start('p/a/v9', FILES), FILES);
      await talk.status('DELETE', '/unlock/p', { token: 'admin' });
    },
    work: (talk) => talk.status('DELETE', '/remove/p/a/v9', { token: 'admin' }),
    abandoned: ['p/a/v9'],
  },
  { what: 'the removal of an asset', work: (talk) => talk.status('DELETE', '/remove/p/a', { token: 'admin' }) },
  { what: 'the removal of a project', work: (talk) => talk.status('DELETE', '/remove/p', { token: 'admin' }) },
  {
    what: 'the removal of what is not there',
    work: (talk) => talk.status('DELETE', '/remove/p/c/v1', { token: 'admin' }),
  },
  {
    what: 'a release',
    before: async (talk) => talk.send(await talk.start('p/a/v9', FILES), FILES),
    work: (talk) => talk.status('POST', '/release/p', { token: 'owner' }),
    isWhole: false,
  },
  {
    what: 'an unlocking',
    before: async (talk) => talk.send(await talk.start('p/a/v9', FILES), FILES),
    work: (talk) => talk.status('DELETE', '/unlock/p', { token: 'admin' }),
    abandoned: ['p/a/v9'],
  },
  {
    what: 'a refresh of the latest',
    work: (talk) => talk.status('POST', '/refresh/latest/p/a', { token: 'admin' }),
  },
  {
    what: 'a refresh of the usage',
    work: (talk) => talk.status('POST', '/refresh/usage/p', { token: 'admin' }),
  },
];

/** What anybody can see, without the times at which it happened. */
function state(storage: MemoryStorage): Map<string, string> {
  return new Map(
    [...storage.snapshot()]
      .filter(([key]) => !key.startsWith('..logs/'))
      .map(([key, content]) => [key, content.replace(/"session_hash":"[^"]*"/, '')]),
  );
}

const logs = (storage: MemoryStorage) => [...storage.snapshot().keys()].filter((key) => key.startsWith('..logs/'));

/** Runs a case on copies of the same storage, each of which fails at another change. */
async function* failEverywhere({ before, work }: Case, options: { once?: boolean } = {}) {
  const storage = await prepared();
  await before?.(await open(storage));
  const whole = storage.copy();
  expect(await work(await open(whole))).toBe(200);
  const ends = { before: state(storage), after: state(whole), logs: logs(whole).length };
  for (let changes = 0; ; changes++) {
    const left = storage.copy();
    const dying = mortal(left, changes, options);
    const talk = await open(dying);
    const status = await work(talk);
    if (!dying.died) {
      expect(status).toBe(200);
      break;
    }
    yield { left, talk, status, changes, ...ends };
  }
}

describe('killed at any change, and started again, a registry has not begun, or has finished,', () => {
  it.each(CASES)('$what', async (test) => {
    let kills = 0;
    for await (const { left, before, after, logs: count, changes } of failEverywhere(test)) {
      const talk = await open(left);
      const { abandoned = [], isWhole = true } = test;
      // A release that has begun goes on when it is asked for again; its version is nobody's until then.
      if (!isWhole) expect([200, 403]).toContain(await test.work(talk));
      await checkInvariants(left, { abandoned });
      const now = state(left);
      expect([before, after], `killed at change ${changes}`).toContainEqual(now);
      if (!isWhole) expect(now).toEqual(after);
      const isDone = now.size === after.size && [...after].every(([key, content]) => now.get(key) === content);
      if (isDone && before.size !== after.size) expect(logs(left)).toHaveLength(count);
      kills++;
    }
    expect(kills).toBeGreaterThan(0);
  });
});

describe('when a disk fails once, at any change, a registry that goes on is freed as it is written, after', () => {
  it.each(CASES)('$what', async (test) => {
    for await (const { left, talk, status, before, after, changes } of failEverywhere(test, { once: true })) {
      expect([200, 500]).toContain(status);
      const released = await talk.call('POST', '/release/p', { token: 'admin' });
      expect([200, 404], `failed at change ${changes}: ${await released.text()}`).toContain(released.status);
      const { abandoned = [] } = test;
      const now = state(left);
      if (test.what !== 'an unlocking') {
        await checkInvariants(left, { abandoned });
        expect([before, after], `failed at change ${changes}`).toContainEqual(now);
      }
      expect(left.snapshot().has('p/..LOCK')).toBe(false);
      if (now.has('p/..permissions')) await talk.publish('p/a/next', FILES);
      else {
        expect([...now.keys()]).toEqual([]);
        expect(await talk.status('POST', '/create/p', { token: 'admin', body: {} })).toBe(200);
      }
    }
  });
});

describe('when a disk fails once, at any change,', () => {
  /** Everything that can happen to an upload, as far as it comes. */
  async function upload(talk: Talk): Promise<number> {
    const started = await talk.start('p/a/v9', FILES);
    await talk.send(started, FILES);
    return talk.status('POST', started.complete_url, { token: started.session_token });
  }

  it.each([
    ['released', 'POST', '/release/p'],
    ['unlocked', 'DELETE', '/unlock/p'],
  ])('an upload that is %s leaves a version that is whole, or none that counts', async (how, method, path) => {
    const storage = await prepared();
    const before = state(storage);
    for (let changes = 0; ; changes++) {
      const left = storage.copy();
      const dying = mortal(left, changes, { once: true });
      const talk = await open(dying);
      const status = await upload(talk).catch(() => 0);
      if (!dying.died) break;
      expect(await talk.status(method, path, { token: 'admin' })).toBe(200);
      await checkInvariants(left, { abandoned: how === 'unlocked' ? ['p/a/v9'] : [] });
      const now = left.snapshot();
      const isFinished = now.get('p/a/v9/..summary')?.includes('upload_finish') ?? false;
      if (status === 200) expect(isFinished).toBe(true);
      if (isFinished) expect(now.get('p/a/..latest')).toBe('{"version":"v9"}');
      else if (how === 'released') expect(state(left)).toEqual(before);
      await talk.publish('p/a/v10', FILES);
    }
  });

  it('a project that is made leaves nothing in the way of making it', async () => {
    for (let changes = 0; ; changes++) {
      const left = memoryStorage();
      const dying = mortal(left, changes, { once: true });
      const talk = await open(dying);
      const create = () => talk.status('POST', '/create/p', { token: 'admin', body: {} });
      if ((await create()) === 500) expect(await create()).toBe(200);
      await checkInvariants(left);
      if (!dying.died) break;
    }
  });

  it('a project whose removal broke off can be made again, and is not removed then', async () => {
    const storage = await prepared();
    for (let changes = 0; ; changes++) {
      const left = storage.copy();
      const dying = mortal(left, changes, { once: true });
      const talk = await open(dying);
      await talk.status('DELETE', '/remove/p', { token: 'admin' });
      if (!dying.died) break;
      const created = await talk.status('POST', '/create/p', { token: 'admin', body: {} });
      if (created === 200) {
        await talk.publish('p/a/v1', FILES, { token: 'admin' });
        await open(left);
        await checkInvariants(left);
        expect(left.snapshot().get('p/a/v1/x.txt')).toBe('hello');
      } else expect(left.snapshot().has('p/..permissions')).toBe(true);
    }
  });
});
