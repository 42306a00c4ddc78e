import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSystemError } from '../../src/errors.ts';
import { createPathResolver, MAX_EXPANSIONS, type Resolved } from '../../src/model/realpath.ts';
import { comparePaths, type Entry } from '../../src/model/tree.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const rows = (name: string) =>
  readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));

const ENTRIES = rows('realpath-map-extra.tsv')
  .map(([slashed = '', type, target = '']): Entry => {
    const path = slashed.slice(1);
    if (type === 'inode/symlink') return { type: 'symlink', path, target };
    return type === 'inode/directory' ? { type: 'directory', path } : { type: 'file', path, size: 0 };
  })
  .sort((a, b) => comparePaths(a.path, b.path));

const REQUIRED: Readonly<Record<Exclude<Resolved['kind'], 'found'>, string>> = {
  missing: 'NOENT',
  'not-directory': 'NOTDIR',
  loop: 'LOOP',
  escape: 'ESCAPE',
  absolute: 'ABSOLUTE (does not resolve)',
  corrupt: 'CORRUPT',
  invalid: 'INVALID',
};

describe('a path in a tree', () => {
  const [, ...cases] = rows('realpath-cases.tsv');
  const { resolve } = createPathResolver(ENTRIES);

  it('is held to all known cases', () => expect(cases).toHaveLength(69));

  it.each(cases)('%j, where others say %s, is %s', (path = '', _original, required) => {
    const resolved = resolve(path);
    expect(resolved.kind === 'found' ? `OK /${resolved.path}` : REQUIRED[resolved.kind]).toBe(required);
  });

  it('comes with the entry, which is no symlink, and with each symlink on the way', () => {
    expect(resolve('/dir_link_link/./parent_dir/dir_link//sibling_dir_file.md')).toEqual({
      kind: 'found',
      path: 'sub2/hello.md',
      entry: { type: 'file', path: 'sub2/hello.md', size: 0 },
      steps: [
        {
          path: 'dir_link_link',
          target: 'dir_link',
          becomes: '/dir_link/./parent_dir/dir_link//sibling_dir_file.md',
        },
        { path: 'dir_link', target: 'sub', becomes: '/sub/./parent_dir/dir_link//sibling_dir_file.md' },
        { path: 'sub/parent_dir', target: '..', becomes: '/sub/../dir_link//sibling_dir_file.md' },
        { path: 'dir_link', target: 'sub', becomes: '/sub//sibling_dir_file.md' },
        { path: 'sub/sibling_dir_file.md', target: '../sub2/hello.md', becomes: '/sub/../sub2/hello.md' },
      ],
    });
    expect(resolve('/')).toEqual({ kind: 'found', path: '', steps: [] });
  });

  it.each<[string, string]>([
    ['/sub/nope/x', 'sub/nope'],
    ['/broken_rel_link.txt', 'non-existing-target'],
    ['/file_link/x', 'realfile.txt'],
    ['/dir_outside/x', 'dir_outside'],
    ['/sub/../..', ''],
    ['/abs_in/x', 'abs_in'],
    ['/emptytarget', 'emptytarget'],
    ['/chain4', 'chain20'],
  ])('%s that leads nowhere is told where: at %j', (path, at) => {
    expect(resolve(path)).toMatchObject({ at });
  });

  it.each([
    ['/dir_link', 'dir_link', 'symlink'],
    ['/dir_link/', 'sub', 'directory'],
    ['/dir_link/.', 'sub', 'directory'],
    ['/dir_link_link/sibling_dir', 'sub/sibling_dir', 'symlink'],
    ['/broken_rel_link.txt', 'broken_rel_link.txt', 'symlink'],
    ['/abs_out', 'abs_out', 'symlink'],
    ['/file_link_link/../x', undefined, undefined],
    ['/realfile.txt', 'realfile.txt', 'file'],
  ])('%s is %s, a %s, where the last symlink is kept', (path, at, type) => {
    const resolved = resolve(path, { keepLast: true });
    if (at === undefined) expect(resolved.kind).toBe('not-directory');
    else expect(resolved).toMatchObject({ kind: 'found', path: at, entry: { type } });
  });

  it('follows a symlink to itself no further than others', () => {
    expect(resolve('/sub/infinite_loop').steps).toHaveLength(MAX_EXPANSIONS);
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const relativePath = fc
  .array(fc.oneof({ weight: 3, arbitrary: name }, fc.constantFrom('.', '..', '')), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join('/'));
const target = relativePath.filter((text) => text !== '' && !text.startsWith('/'));
const item = fc.oneof(fc.constant<Item>('text'), fc.constant<Item>('folder/'), {
  weight: 3,
  arbitrary: target.map((link): Item => ({ link })),
});
const items = fc.dictionary(
  fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  item,
  { minKeys: 3, maxKeys: 12 },
);

// Where a path leads is asked of /proc.
it.skipIf(process.platform !== 'linux')('a path leads where the kernel says, on any tree', async () => {
  const temp = await tempFolder();
  const seen = new Set<string>();
  let count = 0;
  await fc.assert(
    fc.asyncProperty(items, fc.array(relativePath, { minLength: 5, maxLength: 20 }), async (laid, paths) => {
      // No name leads back in from above.
      const root = join(temp, `tree-${count++}`, 'x');
      layOut(root, withoutClashes(laid));
      const { resolve } = createPathResolver(await scanFolder(root));
      for (const path of paths) {
        const ours = resolve(`/${path}`);
        const kernels = askKernel(root, path);
        seen.add(ours.kind);
        if (ours.kind === 'found') expect(kernels, path).toBe(ours.path);
        else if (ours.kind === 'escape') expect(kernels === 'missing' || kernels.startsWith('..'), path).toBe(true);
        else if (ours.kind !== 'loop' || kernels === 'loop') expect(kernels, path).toBe(ours.kind);
        else expect(ours.steps).toHaveLength(MAX_EXPANSIONS);
      }
      await rm(join(root, '..'), { recursive: true });
    }),
    { numRuns: 150 },
  );
  expect([...seen].sort()).toEqual(['escape', 'found', 'loop', 'missing', 'not-directory']);
});

/** Leaves out what lies below a file or a symlink. */
function withoutClashes(laid: Readonly<Record<string, Item>>): Record<string, Item> {
  return Object.fromEntries(
    Object.entries(laid).filter(([path]) =>
      Object.entries(laid).every(([other, at]) => !path.startsWith(`${other}/`) || at === 'folder/'),
    ),
  );
}

function askKernel(root: string, path: string): string {
  try {
    // `join` would take the dots away before the kernel sees them.
    const fd = openSync(`${root}/${path}`, 'r');
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    closeSync(fd);
    return relative(root, real);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 'missing';
    if (isSystemError(error, 'ENOTDIR')) return 'not-directory';
    if (isSystemError(error, 'ELOOP')) return 'loop';
    throw error;
  }
}

describe('how often a tree is looked at', () => {
  /** A folder of so many symlinks, each to the next one but the last of every sixteen, which leads to a file. */
  function chainsOf(length: number): Entry[] {
    const links = Array.from({ length }, (_, at): Entry => {
      const path = `links/${String(at).padStart(6, '0')}`;
      const target = at % MAX_EXPANSIONS === MAX_EXPANSIONS - 1 ? '../file' : String(at + 1).padStart(6, '0');
      return { type: 'symlink', path, target };
    });
    return [{ type: 'file', path: 'file', size: 0 }, { type: 'directory', path: 'links' }, ...links];
  }

  /** Resolves every symlink of a tree, and gives how many entries were looked at for it. */
  function looksOf(entries: Entry[]): number {
    let looks = 0;
    const counted = new Proxy(entries, {
      get(target, name, receiver) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looks++;
        return Reflect.get(target, name, receiver);
      },
    });
    const { resolve } = createPathResolver(counted);
    for (const { path, type } of entries) {
      if (type === 'symlink') expect(resolve(`/${path}`)).toMatchObject({ kind: 'found', path: 'file' });
    }
    return looks;
  }

  it('grows with the number of symlinks as they do, and not as its square', () => {
    const [few, many] = [64, 1_024].map((length) => looksOf(chainsOf(length)));
    expect(few).toBeGreaterThan(64);
    // Sixteen times as many, with four more looks to find each in a list that is sorted; a square would be 256 times as many.
    expect(many).toBeLessThan(2 * 16 * (few ?? 0));
  });
});
