import { expect, it } from 'vitest';
import { followTree } from '../../src/model/follow-tree.ts';
import { withDirectories } from '../../src/model/tree.ts';
import type { VersionEntry } from '../../src/model/version-tree.ts';

/** A folder of 20,000 files, and symlinks to another one of one file. */
function createTree(symlinks: number): VersionEntry[] {
  const digest = { algorithm: 'md5', hex: '0'.repeat(32) } as const;
  const name = (at: number) => String(at).padStart(5, '0');
  return withDirectories([
    ...Array.from({ length: 20_000 }, (_, at) => ({ type: 'file', path: `big/${name(at)}`, size: 1, digest }) as const),
    ...Array.from(
      { length: symlinks },
      (_, at) => ({ type: 'symlink', path: `links/${name(at)}`, target: '../small', targetType: 'dir' }) as const,
    ),
    { type: 'file', path: 'small/file', size: 1, digest },
  ]);
}

it('symlinks are followed by looking at what they lead to, and not at all of the tree for each', () => {
  let looks = 0;
  const counted = (tree: VersionEntry[]) =>
    new Proxy(tree, {
      get(entries, key, receiver) {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
        return Reflect.get(entries, key, receiver);
      },
    });
  const followed = (symlinks: number) => {
    looks = 0;
    const { entries } = followTree(counted(createTree(symlinks)), '');
    return { entries: entries.length, looks };
  };
  const [few, many] = [followed(0), followed(1_000)];
  expect(many.entries - few.entries).toBe(2_001);
  expect(many.looks - few.looks).toBeLessThan(1_000 * 200);
});
