import { readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSystemError } from '../../src/errors.ts';
import { createSymlinkResolver } from '../../src/tree/resolve-symlink.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const inside = (path: string, root = 'watched') => ({
  type: 'inside',
  root: expect.stringMatching(new RegExp(`/${root}$`)),
  parts: path === '' ? [] : path.split('/'),
});

/** A folder `watched` with files, one `work` in which the links stand, and ways from the one to the other. */
const WORLD: Record<string, Item> = {
  'watched/p/v/file': 'x',
  'watched/p/v/sub/deep': 'x',
  'watched/p/link-out': { link: '../../work/file' },
  'watched/p/alias': { link: 'v' },
  'work/file': 'x',
  'work/folder/file': 'x',
  'work/to-watched': { link: '../watched' },
  'work/to-version': { link: '../watched/p/v' },
  'work/to-sub': { link: '../watched/p/v/sub' },
  'work/chain1': { link: 'chain2' },
  'work/chain2': { link: './to-version/file' },
  'work/to-file': { link: 'folder/file' },
  'work/to-nothing': { link: 'no/where' },
  'work/loop1': { link: 'loop2' },
  'work/loop2': { link: 'loop1' },
  'work/self': { link: 'self' },
  'work/round': { link: 'round/more' },
  'watched-twin/file': 'x',
};

describe('a symlink', () => {
  it.each([
    ['a relative text', '../watched/p/v/file', 'p/v/file'],
    ['a text with needless parts', './..//watched/./p/v//file', 'p/v/file'],
    ['a trailing slash', '../watched/p/v/', 'p/v'],
    ['the watched folder itself', '../watched', ''],
    ['nothing there yet', '../watched/q/new/file', 'q/new/file'],
    ['a symlink to the watched folder', 'to-watched/p/v/file', 'p/v/file'],
    ['a symlink into the watched folder', 'to-version/file', 'p/v/file'],
    ['a chain of symlinks', 'chain1', 'p/v/file'],
    ['a name in the watched folder that is a symlink itself', '../watched/p/link-out', 'p/link-out'],
    ['a folder in the watched folder that is a symlink itself', '../watched/p/alias/file', 'p/alias/file'],
    ['".." within the watched folder', '../watched/p/v/sub/../file', 'p/v/file'],
    ['".." out of the watched folder and in again', '../watched/../watched/p/v/file', 'p/v/file'],
    ['".." behind a symlink, as the kernel has it', 'to-sub/../file', 'p/v/file'],
    ['".." behind a symlink in the watched folder', '../watched/p/alias/../v/file', 'p/v/file'],
    ['".." behind what is not there', '../watched/p/none/../v/file', 'p/v/file'],
  ])('leads inside by %s', async (_what, text, path) => {
    const { resolve, work } = await world();
    expect(resolve(work, text)).toEqual(inside(path));
  });

  it('leads inside by an absolute text, also through folders that are symlinks', async () => {
    const { root, resolve, work } = await world();
    expect(resolve(work, `${root}/watched/p/v/file`)).toEqual(inside('p/v/file'));
    expect(resolve(work, `/${root}//watched/p/./v/file`)).toEqual(inside('p/v/file'));
    expect(resolve(work, `${root}/work/to-version/file`)).toEqual(inside('p/v/file'));
    expect(resolve(work, `${root}/watched/p/v/sub/../file`)).toEqual(inside('p/v/file'));
  });

  it('leads inside from a folder that is watched itself', async () => {
    const { root, resolve } = await world();
    expect(resolve(join(root, 'watched/p/v'), 'sub/deep')).toEqual(inside('p/v/sub/deep'));
    expect(resolve(join(root, 'watched/p/v'), '../alias/file')).toEqual(inside('p/alias/file'));
  });

  it.each([
    ['a file', 'file', 'work/file', true],
    ['a symlink to a file', 'to-file', 'work/folder/file', true],
    ['its own folder', '.', 'work', true],
    ['".." behind a symlink, as the kernel has it', 'to-version/../../../work/file', 'work/file', true],
    ['".." behind a symlink to the watched folder', 'to-watched/..', '', true],
    ['a text that enters the watched folder and leaves it', '../watched/p/v/../../../work/file', 'work/file', true],
    ['a folder whose name only begins the same', '../watched-twin/file', 'watched-twin/file', true],
    ['nothing', 'no/where', 'work/no/where', false],
    ['a symlink to nothing', 'to-nothing', 'work/no/where', false],
    ['a path below a file', 'file/below', 'work/file/below', false],
    ['a path below a symlink to a file', 'to-file/below', 'work/folder/file/below', false],
  ])('leads outside to %s', async (_what, text, path, exists) => {
    const { root, resolve, work } = await world();
    expect(resolve(work, text)).toEqual({ type: 'outside', path: path === '' ? root : join(root, path), exists });
  });

  it.each(['loop1', 'loop2', 'self', 'round', 'self/below', 'loop1/../file'])('may be a loop: %s', async (text) => {
    const { resolve, work } = await world();
    expect(resolve(work, text)).toEqual({ type: 'loop' });
  });

  it('does not climb above the root of the file system', async () => {
    const { root, resolve, work } = await world();
    expect(resolve(work, `${'../'.repeat(50)}${root.slice(1)}/watched/p`)).toEqual(inside('p'));
    expect(resolve(work, '/../..')).toEqual({ type: 'outside', path: '/', exists: true });
  });

  it('is followed through as many links as the kernel follows', async () => {
    const { root, resolve, work } = await world();
    symlinkSync('folder/file', join(work, 'c1'));
    for (let at = 2; at <= 41; at++) symlinkSync(`c${at - 1}`, join(work, `c${at}`));
    const kernelFollows = (name: string) => kernel(join(work, name)) !== undefined;
    expect([kernelFollows('c40'), kernelFollows('c41')]).toEqual([true, false]);
    expect(resolve(work, 'c39')).toEqual({ type: 'outside', path: join(root, 'work/folder/file'), exists: true });
    expect(resolve(work, 'c40')).toEqual({ type: 'loop' });
  });

  it('leads where the kernel says, for whatever exists outside', async () => {
    const root = await tempFolder();
    const names = ['a', 'b', 'c', 'd'];
    const part = fc.constantFrom(...names, ...names, '..', '.', '');
    const text = fc
      .tuple(fc.boolean(), fc.array(part, { minLength: 1, maxLength: 4 }))
      .map(([absolute, parts]) => (absolute ? '/' : '') + parts.join('/'))
      .filter((one) => one !== '');
    const node = fc.oneof(
      fc.constant('file'),
      fc.constant('folder/'),
      text.map((link) => ({ link })),
    );
    let run = 0;
    let followed = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('', 'a/', 'b/'), node), { minLength: 6, maxLength: 8 }),
        async (nodes) => {
          const base = join(root, String(run++));
          layOut(base, { 'a/': 'folder/', 'b/': 'folder/' });
          for (const [at, [folder, item]] of nodes.entries()) {
            const path = `${folder}${names[2 + (at % 2)]}`;
            // Absolute texts are absolute in this small world.
            const placed = typeof item === 'string' ? item : { link: item.link.replace(/^\//, `${base}/`) };
            if (!readdirSync(join(base, folder)).includes(path.slice(folder.length))) {
              layOut(base, { [path]: placed === 'file' ? 'x' : (placed as Item) });
            }
          }
          const { resolve } = createSymlinkResolver('/watched-by-nobody');
          for (const folder of ['', 'a', 'b']) {
            for (const [at, name] of readdirSync(join(base, folder)).entries()) {
              const real = kernel(join(base, folder, name));
              if (real === undefined) continue;
              symlinkSync(name, join(base, folder, `link${at}`));
              followed++;
              expect(resolve(join(base, folder), name)).toEqual({ type: 'outside', path: real, exists: true });
            }
          }
          await rm(base, { recursive: true });
        },
      ),
      { numRuns: 300 },
    );
    expect(followed).toBeGreaterThan(300);
  });
});

/** Where the kernel says that a path leads; nothing if nowhere. */
function kernel(path: string): string | undefined {
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

it('a symlink is inside of the folder that it enters first, of several that are watched', async () => {
  const { root, work } = await world();
  const { resolve } = createSymlinkResolver(join(root, 'watched'), join(root, 'watched-twin'));
  expect(resolve(work, '../watched-twin/file')).toEqual(inside('file', 'watched-twin'));
  expect(resolve(work, `${root}/watched-twin/file`)).toEqual(inside('file', 'watched-twin'));
  expect(resolve(work, `${root}/watched/p/v/file`)).toEqual(inside('p/v/file'));
  expect(resolve(work, 'file')).toMatchObject({ type: 'outside' });
});

async function world() {
  const root = await tempFolder();
  layOut(root, WORLD);
  const { resolve } = createSymlinkResolver(join(root, 'watched'));
  return { root, resolve, work: join(root, 'work') };
}
