import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Entry, sortPaths, withDirectories } from '../../src/model/tree.ts';
import { drawTree } from '../../src/ops/draw-tree.ts';
import { nestTree } from '../../src/ops/nest-tree.ts';
import type { NestedNode } from '../../src/ops/tree-node.ts';

/** Draws from the first line to the last, with what is in each folder at hand. */
function drawNested({ sub = [], size }: NestedNode, margin = '', columns = String(size).length): string[] {
  return sub.flatMap((node, at) => {
    const [branch, below] = at === sub.length - 1 ? ['└── ', '    '] : ['├── ', '│   '];
    const line = `${margin}${branch}[---- ${String(node.size).padStart(columns)} -------------------] ${node.name}`;
    return [line, ...drawNested(node, margin + below, columns)];
  });
}

const name = fc.constantFrom('a', 'b', 'c', 'a!', 'é');
const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'));

/** Files and empty folders, sorted: none lies below a file. */
const tree = fc.array(path, { maxLength: 25 }).map((paths): Entry[] => {
  const leaves = sortPaths([...new Set(paths)]).filter(
    (one, _, all) => !all.some((other) => other.startsWith(`${one}/`)),
  );
  return withDirectories(
    leaves.map(
      (one): Entry => (one.endsWith('c') ? { type: 'directory', path: one } : { type: 'file', path: one, size: 1 }),
    ),
  );
});

it('is the same from its end as from its beginning, of any folder of a tree', () => {
  fc.assert(
    fc.property(tree, fc.constantFrom('', 'a', 'a/b'), (all, path) => {
      const entries = all.filter((entry) => path === '' || entry.path.startsWith(`${path}/`));
      const folder = { name: 'top', entry: { type: 'directory', path } as const, entries };
      const [top, ...lines] = drawTree(folder, { details: true }).split('\n');
      expect(top).toBe('top');
      expect(lines.slice(0, -2)).toEqual(drawNested(nestTree(folder)));
      const folders = entries.filter(({ type }) => type === 'directory').length;
      expect(lines.at(-1)).toMatch(new RegExp(`^${folders} director(y|ies), ${entries.length - folders} files?$`));
    }),
    { numRuns: 500 },
  );
});

it('has every line once where it is put together in several pieces', () => {
  for (const count of [499, 500, 501, 1_203]) {
    const paths = sortPaths(Array.from({ length: count }, (_, at) => `${at % 7}/${at}`));
    const entries = withDirectories(paths.map((path): Entry => ({ type: 'file', path, size: 1 })));
    const folder = { name: 'top', entry: { type: 'directory', path: '' } as const, entries };
    const lines = drawTree(folder, { details: true }).split('\n');
    expect(lines.slice(1, -2)).toEqual(drawNested(nestTree(folder)));
  }
});
