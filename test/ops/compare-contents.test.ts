import { createHash } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openLocalRepository, type ReplicaEntry, type Repository } from '../../src/index.ts';
import { compareContents } from '../../src/ops/compare-contents.ts';
import { age, makePair } from '../helpers/replica.ts';

it('contents are compared a few at once, and the trees that are given stay as they are', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const items = Object.fromEntries(names.map((name) => [name, name.repeat(300 * 1024)]));
  const pair = await makePair(items, items);
  for (const name of names) age(join(pair.dst, name));
  let open = 0;
  let most = 0;
  const counting = (root: string): Repository => {
    const repository = openLocalRepository(root);
    return {
      ...repository,
      async read(path) {
        const file = await repository.read(path);
        most = Math.max(most, ++open);
        return {
          ...file,
          close() {
            open--;
            file.close();
          },
        };
      },
    };
  };
  const [from, to] = [counting(pair.src), counting(pair.dst)];
  const frozen = async (repository: Repository): Promise<readonly ReplicaEntry[]> =>
    (await repository.list()).entries.map((entry) => Object.freeze(entry));
  const { source, destination } = await compareContents([await frozen(from), from], [await frozen(to), to], {
    checksum: false,
    moves: true,
    onFailure: () => expect.unreachable(),
  });
  const digests = (tree: readonly ReplicaEntry[]) => tree.map((entry) => entry.type === 'file' && entry.digest);
  expect(digests(source)).toEqual(names.map(() => expect.stringMatching(/^[\da-f]{64}$/)));
  expect(digests(destination)).toEqual(digests(source));
  expect(open).toBe(0);
  expect(most).toBe(4);
});

it('what is read of a file that changes meanwhile is not remembered of it', async () => {
  const pair = await makePair({ a: 'same', b: 'same' }, { a: 'same', b: 'same' });
  for (const name of ['a', 'b']) age(join(pair.dst, name));
  const [from, to] = [openLocalRepository(pair.src), openLocalRepository(pair.dst)];
  const disturbed: Repository = {
    ...from,
    async read(path) {
      const file = await from.read(path);
      return {
        ...file,
        async *chunks() {
          yield* file.chunks();
          if (path === 'a') appendFileSync(join(pair.src, path), ' no more');
        },
      };
    },
  };
  const [{ entries: source }, { entries: destination }] = [
    await from.list({ stamps: true }),
    await to.list({ stamps: true }),
  ];
  const learned: string[] = [];
  await compareContents([source, disturbed], [destination, to], {
    checksum: true,
    moves: true,
    onFailure: () => expect.unreachable(),
    memory: { digestOf: () => undefined, learn: (stamp) => learned.push(stamp) },
  });
  const stampOf = (tree: readonly ReplicaEntry[], at: string) =>
    tree.flatMap((entry) => (entry.type === 'file' && entry.path === at ? [entry.stamp] : []));
  expect(learned.toSorted()).toEqual(
    [...stampOf(source, 'b'), ...stampOf(destination, 'a'), ...stampOf(destination, 'b')].toSorted(),
  );
});

it('a file that has changed since it was listed is what it was when it was read', async () => {
  const pair = await makePair({ a: 'same' }, { a: 'same' });
  age(join(pair.src, 'a'));
  const [from, to] = [openLocalRepository(pair.src), openLocalRepository(pair.dst)];
  const edited: Repository = {
    ...from,
    async read(path) {
      writeFileSync(join(pair.src, path), 'other');
      return from.read(path);
    },
  };
  const list = async (repository: Repository) => (await repository.list({ stamps: true })).entries;
  const learned = new Map<string, string>();
  const trees = await compareContents([await list(from), edited], [await list(to), to], {
    checksum: true,
    moves: true,
    onFailure: () => expect.unreachable(),
    memory: { digestOf: () => undefined, learn: (stamp, digest) => learned.set(stamp, digest) },
  });
  const [now] = await list(from);
  const stamp = now?.type === 'file' ? now.stamp : undefined;
  const digest = createHash('sha256').update('other').digest('hex');
  expect(trees.source).toEqual([{ ...now, digest }]);
  expect(learned.get(stamp ?? '')).toBe(digest);
});
