import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { isBelow, sortPaths } from '../../src/model/tree.ts';
import { type Item, layOut } from './files.ts';
import { age } from './replica.ts';

const name = fc.constantFrom('a', 'b', 'c', 'é');
export const randomPath = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
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
export const randomFolder = fc
  .dictionary(randomPath, fc.record({ item, mode: fc.constantFrom(0o644, 0o600, 0o755, 0o500), time: fc.nat(3) }), {
    maxKeys: 10,
    noNullPrototype: true,
  })
  .map((all) => {
    const paths = sortPaths(Object.keys(all));
    const isFree = (at: string) => !paths.some((other) => isBelow(at, other) && all[other]?.item !== 'folder/');
    return paths.filter(isFree).flatMap((at) => (all[at] === undefined ? [] : [{ path: at, ...all[at] }]));
  });
export type RandomFolder = typeof randomFolder extends fc.Arbitrary<infer T> ? T : never;

/** Makes it where nothing is yet. */
export function makeFolder(root: string, entries: RandomFolder): void {
  layOut(root, Object.fromEntries(entries.map(({ path: at, item: one }) => [at, one])));
  for (const { path: at, item: one, mode, time } of entries.toReversed()) {
    if (typeof one === 'string') chmodSync(join(root, at), one === 'folder/' ? mode | 0o300 : mode);
    age(join(root, at), 1_600_000_000.25 + time);
  }
}
