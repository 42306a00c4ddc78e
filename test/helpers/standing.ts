import type { Content } from '../../src/model/content.ts';
import type { FolderTree, OwnEntry } from '../../src/model/version-tree.ts';
import type { LeftPath, Standing } from '../../src/tree/standing.ts';
import type { After, Step } from '../../src/tree/step.ts';

/** A content for planners, which compare it and never look into it. */
const contentOf = (text: string): Content => ({ size: text.length, md5sum: text });

/** A version with these contents by path; `-> text` is a symlink of its own, `folder/` an empty folder. */
export function versionOf(items: Readonly<Record<string, string>>): FolderTree {
  const all = Object.entries(items);
  const own = all.flatMap(([path, item]): [string, OwnEntry][] => {
    if (item === 'folder/') return [[path, { type: 'directory', path }]];
    return item.startsWith('-> ')
      ? [[path, { type: 'symlink', path, target: item.slice(3), targetType: 'unknown' }]]
      : [];
  });
  const files = all.filter(([path]) => own.every(([at]) => at !== path));
  return { manifest: Object.fromEntries(files.map(([path, text]) => [path, contentOf(text)])), own: new Map(own) };
}

/** A real file; without a text, one that holds what no version has. */
export function file(path: string, text?: string): Standing {
  const before = { type: 'file', seen: [1, 1, 1, 1, 1] } as const;
  return { path, type: 'file', before, ...(text !== undefined && { content: contentOf(text) }) };
}

/** A symlink as a clone has it, or one to elsewhere. */
export function link(path: string, text?: string, target = `/cache/${path}`): Standing {
  return {
    path,
    type: 'symlink',
    before: { type: 'symlink', target },
    ...(text !== undefined && { content: contentOf(text) }),
  };
}

export function folder(path: string): Standing {
  return { path, type: 'directory', before: { type: 'directory' } };
}

export function special(path: string): Standing {
  return { path, type: 'special' };
}

/** How a clone of symlinks has a version. */
export const asLinks = {
  layOut: (path: string): After => ({ type: 'symlink', target: `/cache/${path}` }),
  isLaidOut: ({ path, before }: Standing) => before?.type === 'symlink' && before.target === `/cache/${path}`,
};

/** Says what steps do: `+ made`, `- removed`, `~ changed`, `~ kept (kept)`, with "/" behind folders. */
export function showSteps(steps: readonly Step[]): string[] {
  return steps.map(({ path, before, after, keep }) => {
    const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
    const isFolder = (after ?? before)?.type === 'directory';
    return `${sign} ${path}${isFolder ? '/' : ''}${keep ? ' (kept)' : ''}`;
  });
}

export function showLeft(left: readonly LeftPath[]): string[] {
  return left.map(({ path, state, conflict }) => `${path} ${state}${conflict ? ' !' : ''}`);
}
