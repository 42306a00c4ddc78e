import { followTree } from '../model/follow-tree.ts';
import { createPathResolver } from '../model/realpath.ts';
import { staysInside } from '../model/stays-inside.ts';
import { entriesBelow, entryAt } from '../model/tree.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import type { BlockedPath } from '../tree/plan-get.ts';

export type GetSymlinks = 'keep' | 'skip' | 'follow' | 'safe';

/** An entry of what is written, by its path there; the path of what it is written of is the root, which is empty. */
export type GetEntry = VersionEntry & {
  /** Its path in the version. */
  readonly from: string;
};

/** Gives what is written of a file, or of a folder with all that is in it, and what is left out. */
export function selectForGet(
  tree: readonly VersionEntry[],
  at: string,
  symlinks: GetSymlinks,
): { readonly entries: readonly GetEntry[]; readonly skipped: readonly BlockedPath[] } {
  const own = entryAt(tree, at) ?? ({ type: 'directory', path: '' } as const);
  const first: GetEntry = { ...own, path: '', from: at };
  if (symlinks === 'follow' && own.type !== 'file') {
    const { entries, unfollowed } = followTree(tree, at);
    return { entries: [first, ...entries], skipped: unfollowed };
  }
  const below = entriesBelow(tree, at).map(
    (entry): GetEntry => ({
      ...entry,
      path: at === '' ? entry.path : entry.path.slice(at.length + 1),
      from: entry.path,
    }),
  );
  if (symlinks === 'keep' || symlinks === 'follow') return { entries: [first, ...below], skipped: [] };
  const resolver = createPathResolver(below);
  const skipped: BlockedPath[] = [];
  const kept = below.filter((entry) => {
    if (entry.type !== 'symlink') return true;
    if (symlinks === 'safe' && staysInside(resolver, entry)) return true;
    const why = symlinks === 'skip' ? 'is a symlink' : 'is a symlink that leads out of what is written';
    skipped.push({ path: entry.path, why });
    return false;
  });
  return { entries: [first, ...kept], skipped };
}
