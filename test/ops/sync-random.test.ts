import { mkdirSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { syncFolders } from '../../src/index.ts';
import { isBelow } from '../../src/model/tree.ts';
import { makeFolder, type RandomFolder, randomFolder, randomPath } from '../helpers/random-folders.ts';
import { look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

/** Gives a folder that came out of another one by renames and losses. */
const renamed = (from: RandomFolder) =>
  fc.dictionary(randomPath, randomPath, { maxKeys: 3 }).map((moves) => {
    const at = new Map(from.map((entry) => [entry.path, entry]));
    for (const [old, to] of Object.entries(moves)) {
      const moved = [...at.values()].filter((entry) => entry.path === old || isBelow(entry.path, old));
      if (isBelow(to, old) || [...at.keys()].some((other) => other === to || isBelow(to, other) || isBelow(other, to)))
        continue;
      for (const entry of moved) {
        at.delete(entry.path);
        at.set(to + entry.path.slice(old.length), { ...entry, path: to + entry.path.slice(old.length) });
      }
    }
    return [...at.values()];
  });
const pair = randomFolder.chain((source) => fc.tuple(fc.constant(source), fc.oneof(randomFolder, renamed(source))));

it('whatever two folders hold, one is a replica of the other then, and nothing else changes', async () => {
  const { top, src, dst } = await makePair();
  await fc.assert(
    fc.asyncProperty(pair, fc.boolean(), async ([source, destination], checksum) => {
      for (const root of [src, dst]) {
        rmSync(root, { recursive: true });
        mkdirSync(root);
      }
      makeFolder(src, source);
      makeFolder(dst, destination);
      const before = snapshot(top, dst);
      // Files of one size and time are taken for the same, as rsync does, unless they are read.
      const result = await syncFolders(src, dst, { force: true, checksum: true });
      expect(result.failures).toEqual([]);
      expect(await look(dst)).toEqual(await look(src));
      expect(snapshot(top, dst)).toEqual(before);
      expect((await syncFolders(src, dst, { checksum })).operations).toEqual([]);
    }),
    { numRuns: 150 },
  );
});
