import { describe, expect, it } from 'vitest';
import { createReplicaMemory } from '../../src/ops/replica-memory.ts';
import { openReplicaState } from '../../src/state/replica-state.ts';
import type { ReplicaFile } from '../../src/tree/replica-entry.ts';
import { memoryRepository } from '../helpers/memory-repository.ts';

const digest = 'ab'.repeat(32);

/** A stamp of a file to which something was done some milliseconds ago. */
const stamp = (age: number) => `1 2 3 4000 ${BigInt(Date.now() - age) * 1_000_000n}`;

const memory = (options = {}) => createReplicaMemory(openReplicaState(undefined, '/src', '/dst'), options);

describe('what is remembered of a file', () => {
  it('is not the content of one that may yet change with nothing telling of it', () => {
    const remembered = memory();
    const [fresh, old] = [stamp(0), stamp(60_000)];
    for (const one of [fresh, old]) remembered.learn(one, digest);
    expect(remembered.digestOf(fresh)).toBeUndefined();
    expect(remembered.digestOf(old)).toBe(digest);
  });

  it('is of no use where all is to be read', () => {
    const remembered = memory({ rereads: true });
    const old = stamp(60_000);
    remembered.learn(old, digest);
    expect(remembered.digestOf(old)).toBeUndefined();
  });

  it.each<[string, number, string | undefined]>([
    ['what was written to it', 5, digest],
    ['nothing, where somebody else has written to it since', 6, undefined],
  ])('is %s', (_, mtime, expected) => {
    const remembered = memory();
    const wanted: ReplicaFile = { type: 'file', path: 'a', size: 3, mtime: 5, digest };
    const there = stamp(0);
    const replica = { ...memoryRepository([]), look: () => ({ ...wanted, mtime, stamp: there }) };
    remembered.see({
      source: [wanted],
      destination: [],
      left: [],
      skipped: [],
      failures: [],
      leftovers: [],
      shared: new Set(),
    });
    remembered.note({ op: 'create', path: 'a', size: 3, mtime: 5 }, { digest }, replica);
    expect(remembered.digestOf(there)).toBe(expected);
  });
});
