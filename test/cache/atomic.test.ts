import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { place, publish, publishDocument, removeIfThere } from '../../src/cache/atomic.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { linkUntilRefused } from '../helpers/link-until-refused.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function open() {
  const root = await tempFolder();
  const layout = createLayout(join(root, 'cache'));
  const incoming = dirname(layout.incoming('x'));
  return { root, layout, leftovers: () => (existsSync(incoming) ? readdirSync(incoming) : []) };
}

describe('a published file', () => {
  it('is there as a whole, in folders that are made for it', async () => {
    const { root, layout, leftovers } = await open();
    const target = join(root, 'a/b/file');
    await publish(layout, target, (incoming) => writeFile(incoming, 'content'));
    expect(readFileSync(target, 'utf8')).toBe('content');
    expect(leftovers()).toEqual([]);
  });

  it('replaces another at once, or not at all', async () => {
    const { root, layout, leftovers } = await open();
    const target = join(root, 'file');
    await publishDocument(layout, target, 'first');
    const failure = new Error('disk full');
    const failing = publish(layout, target, async (incoming) => {
      await writeFile(incoming, 'half');
      throw failure;
    });
    await expect(failing).rejects.toBe(failure);
    expect(readFileSync(target, 'utf8')).toBe('first');
    expect(leftovers()).toEqual([]);
    await publishDocument(layout, target, 'second');
    expect(readFileSync(target, 'utf8')).toBe('second');
    expect(statSync(target).mode & 0o777).toBe(0o644);
  });

  it('leaves nothing where its place cannot be had', async () => {
    const { root, layout, leftovers } = await open();
    writeFileSync(join(root, 'file'), 'theirs');
    mkdirSync(join(root, 'folder'));
    await expect(publishDocument(layout, join(root, 'file/below'), 'x')).rejects.toThrow(/EEXIST|ENOTDIR/);
    await expect(publishDocument(layout, join(root, 'folder'), 'x')).rejects.toThrow(/EISDIR|EEXIST|EPERM/);
    expect(leftovers()).toEqual([]);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('theirs');
  });

  it('replaces a symlink, not what it leads to', async () => {
    const { root, layout } = await open();
    writeFileSync(join(root, 'theirs'), 'theirs');
    symlinkSync('theirs', join(root, 'link'));
    await publishDocument(layout, join(root, 'link'), 'ours');
    expect(lstatSync(join(root, 'link')).isFile()).toBe(true);
    expect(readFileSync(join(root, 'theirs'), 'utf8')).toBe('theirs');
  });
});

describe('a placed file', () => {
  it('is the same inode as its source', async () => {
    const { root, layout, leftovers } = await open();
    const [source, target] = [join(root, 'source'), join(root, 'a/b/target')];
    writeFileSync(source, 'content');
    expect(await place(layout, source, target)).toBe('linked');
    expect(statSync(target).ino).toBe(statSync(source).ino);
    expect(leftovers()).toEqual([]);
  });

  it.each<[string, (root: string) => void]>([
    ['another file', (root) => writeFileSync(join(root, 'target'), 'other')],
    ['a symlink to it', (root) => symlinkSync('source', join(root, 'target'))],
    ['a dangling symlink', (root) => symlinkSync('nowhere', join(root, 'target'))],
    ['a link of the same inode', (root) => linkSync(join(root, 'source'), join(root, 'target'))],
  ])('replaces %s and leaves nothing behind', async (_what, before) => {
    const { root, layout, leftovers } = await open();
    const [source, target] = [join(root, 'source'), join(root, 'target')];
    writeFileSync(source, 'content');
    before(root);
    expect(await place(layout, source, target)).toBe('linked');
    expect(lstatSync(target).ino).toBe(lstatSync(source).ino);
    expect(lstatSync(source).nlink).toBe(2);
    expect(leftovers()).toEqual([]);
  });

  it('fails as a whole where there is no source, or no place', async () => {
    const { root, layout, leftovers } = await open();
    await expect(place(layout, join(root, 'none'), join(root, 'target'))).rejects.toMatchObject({ code: 'ENOENT' });
    writeFileSync(join(root, 'source'), 'x');
    mkdirSync(join(root, 'folder'));
    await expect(place(layout, join(root, 'source'), join(root, 'folder'))).rejects.toThrow();
    expect(leftovers()).toEqual([]);
  });

  it('is not placed where its source has as many links as can be', async ({ skip }) => {
    const { root, layout, leftovers } = await open();
    const source = join(root, 'source');
    writeFileSync(source, 'content');
    const links = linkUntilRefused(source);
    if (links === undefined) return skip('this file system allows more than 70,000 links of one file');

    writeFileSync(join(root, 'there'), 'theirs');
    expect(await place(layout, source, join(root, 'target'))).toBe('too-many-links');
    expect(await place(layout, source, join(root, 'there'))).toBe('too-many-links');
    expect(existsSync(join(root, 'target'))).toBe(false);
    expect(readFileSync(join(root, 'there'), 'utf8')).toBe('theirs');
    expect(leftovers()).toEqual([]);
  });
});

it('a file is removed, also if it is not there', async () => {
  const { root } = await open();
  writeFileSync(join(root, 'file'), '');
  await removeIfThere(join(root, 'file'));
  await removeIfThere(join(root, 'file'));
  expect(existsSync(join(root, 'file'))).toBe(false);
});
