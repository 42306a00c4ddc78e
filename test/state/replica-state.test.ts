import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openReplicaState } from '../../src/state/replica-state.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const stamp = (inode: number) => `1 ${inode} 5 1000 -2000`;
const digest = 'ab'.repeat(32);

/** Remembers two files in a new folder; gives that and the file. */
async function remember(): Promise<{ folder: string; file: string }> {
  const folder = await tempFolder();
  const state = openReplicaState(folder, '/src', '/dst');
  expect(state.entries).toBeUndefined();
  state.learn(stamp(1), digest);
  state.keep(
    new Map([
      ['a', 'file'],
      ['b\u2028\udc80', 'file'],
    ]),
  );
  state.close();
  const [name = ''] = readdirSync(join(folder, 'replicas'));
  return { folder, file: join(folder, 'replicas', name) };
}

describe('what is remembered of a replica', () => {
  it('is there again, and not of another one', async () => {
    const { folder } = await remember();
    const state = openReplicaState(folder, '/src', '/dst');
    expect([...state.contents]).toEqual([[stamp(1), digest]]);
    expect([...(state.entries ?? [])]).toEqual([
      ['a', 'file'],
      ['b\u2028\udc80', 'file'],
    ]);
    expect(openReplicaState(folder, '/src', '/other').entries).toBeUndefined();
  });

  it('is without the line that a kill has cut off, wherever that was', async () => {
    const { folder, file } = await remember();
    const whole = readFileSync(file);
    const head = whole.indexOf('\n') + 1;
    for (let length = head; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const state = openReplicaState(folder, '/src', '/dst');
      expect(state.setAside).toBeUndefined();
      expect(statSync(file).size).toBe(whole.lastIndexOf('\n', length - 1) + 1);
      state.learn(stamp(2), digest);
      state.close();
      expect(openReplicaState(folder, '/src', '/dst').contents.get(stamp(2))).toBe(digest);
    }
  });

  it('is read and written piece by piece, however long that gets, and given back as it was', async () => {
    const folder = await tempFolder();
    const entries = Array.from({ length: 3000 }, (_, n) => [`${n}/${'ü'.repeat(n % 100)}`, stamp(n)] as const);
    const long = ['/'.padEnd(200_000, 'x'), 'file'] as const;
    const state = openReplicaState(folder, '/src', '/dst');
    for (let n = 0; n < 3000; n++) state.learn(stamp(n), digest);
    state.keep([...entries, long]);
    // Some have gone, and are in none of the pieces.
    state.keep([...entries.slice(10), long]);
    state.retain(entries.slice(20).map(([, sign]) => sign));
    state.close();
    expect(state.contents.size).toBe(2980);
    const again = openReplicaState(folder, '/src', '/dst');
    expect([...(again.entries ?? [])]).toEqual([...entries.slice(10), long]);
    expect([...again.contents]).toEqual(entries.map(([, sign]) => [sign, digest]));
  });

  it.each([
    ['a line that has no end', 'x'.repeat(3 * 1024 * 1024)],
    ['a line of something else', '["content",1]\n'],
  ])('is set aside with %s', async (_, damage) => {
    const { folder, file } = await remember();
    appendFileSync(file, damage);
    const state = openReplicaState(folder, '/src', '/dst');
    expect(state.setAside).toBe(`${file}.aside`);
    expect([state.contents.size, state.entries]).toEqual([0, undefined]);
  });

  it('is written again only where it is new, and anew when most of it is of no use', async () => {
    const { folder, file } = await remember();
    const before = readFileSync(file, 'utf8');
    const state = openReplicaState(folder, '/src', '/dst');
    state.learn(stamp(1), digest);
    state.keep(new Map(state.entries));
    expect(readFileSync(file, 'utf8')).toBe(before);
    for (let turn = 0; turn < 5000; turn++) state.keep(new Map([['a', `${turn}`]]));
    state.close();
    expect(readFileSync(file, 'utf8').split('\n').length).toBeLessThan(1100);
    expect([...(openReplicaState(folder, '/src', '/dst').entries ?? [])]).toEqual([['a', '4999']]);
  });
});
