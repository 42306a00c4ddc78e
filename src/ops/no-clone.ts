import { join } from 'node:path';
import { parseBucketText } from '../cache/bucket-text.ts';
import { GypsumError } from '../errors.ts';
import { fileRefOf } from '../model/refs.ts';
import { showList, showText } from '../model/text.ts';
import type { Tree } from '../model/tree.ts';

export function noClone(root: string): GypsumError {
  return new GypsumError('invalid-argument', `${showText(root)} is not a clone that the cache knows of.`, {
    hint: 'Say which version it is a clone of: --as PROJECT/ASSET/VERSION (in programs: as).',
    details: { directory: root },
  });
}

export function cloneOfAnother(root: string, cache: string): GypsumError {
  return new GypsumError(
    'invalid-argument',
    `The links of ${showText(root)} lead into another cache, ${showText(cache)}, which is there: they were left alone.`,
    {
      hint: `Work on it with that cache (--cache ${showText(cache)}), or make a clone of this one.`,
      details: { directory: root, cache },
    },
  );
}

export function folderOfClones(root: string, clones: readonly string[]): GypsumError {
  return new GypsumError('invalid-argument', `${showText(root)} is no clone, but holds some.`, {
    hint: `Give the clones: ${showList(clones.map((clone) => join(root, clone)))}`,
    details: { directory: root, clones },
  });
}

/** Gives the folders in a tree that seem to be clones, by links to files of a version that stand there as in the version. */
export function clonesBelow(tree: Tree): string[] {
  const clones = new Set<string>();
  for (const entry of tree) {
    if (entry.type !== 'symlink') continue;
    for (const { parts } of parseBucketText(entry.target)) {
      const path = fileRefOf(parts)?.path;
      if (path === undefined || path === '') continue;
      const tail = `/${path}`;
      if (entry.path.endsWith(tail)) clones.add(entry.path.slice(0, -tail.length));
    }
  }
  return [...clones];
}
