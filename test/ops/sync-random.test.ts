import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { syncFolders } from '../../src/index.ts';
import { isBelow, sortPaths } from '../../src/model/tree.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { age, look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

const name = fc.constantFrom('a', 'b', 'c', 'é');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('', 'x', 'y', 'z', 'long', 'much longer') },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('a', 'a/b', '../outside', '../outside/folder', '../src/a', 'nowhere')
      .map((link) => ({ link })),
  },
  { weight: 1, arbitrary: fc.constant<Item>('folder/') },
);
/** What stands where, with its mode and time; nothing stands below a file or symlink. */
const folder = fc
  .dictionary(path, fc.record({ item, mode: fc.constantFrom(0o644, 0o600, 0o755, 0o500), time: fc.nat(3) }), {
    maxKeys: 10,
    noNullPrototype: true,
  })
  .map((all) => {
    const paths = sortPaths(Object.keys(all));
    const isFree = (at: string) => !paths.some((other) => isBelow(at, other) && all[other]?.item !== 'folder/');
    return paths.filter(isFree).flatMap((at) => (all[at] === undefined ? [] : [{ path: at, ...all[at] }]));
  });
type Folder = typeof folder extends fc.Arbitrary<infer T> ? T : never;

/** Gives a folder that came out of another one by renames and losses. */
const renamed = (from: Folder) =>
  fc.dictionary(path, path, { maxKeys: 3 }).map((moves) => {
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
const pair = folder.chain((source) => fc.tuple(fc.constant(source), fc.oneof(folder, renamed(source))));

function make(root: string, entries: Folder): void {
  layOut(root, Object.fromEntries(entries.map(({ path: at, item: one }) => [at, one])));
  for (const { path: at, item: one, mode, time } of entries.toReversed()) {
    if (typeof one === 'string') chmodSync(join(root, at), one === 'folder/' ? mode | 0o300 : mode);
    age(join(root, at), 1_600_000_000.25 + time);
  }
}

it('whatever two folders hold, one is a replica of the other then, and nothing else changes', async () => {
  const { top, src, dst } = await makePair();
  await fc.assert(
    fc.asyncProperty(pair, fc.boolean(), async ([source, destination], checksum) => {
      for (const root of [src, dst]) {
        rmSync(root, { recursive: true });
        mkdirSync(root);
      }
      make(src, source);
      make(dst, destination);
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
