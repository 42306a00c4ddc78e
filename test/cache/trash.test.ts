import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { openTrash } from '../../src/cache/trash.ts';
import { otherFileSystem } from '../helpers/other-file-system.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('the trash keeps a file itself, and the text of a link, and is made with the first of them', async () => {
  const folder = await tempFolder();
  const trash = openTrash(createLayout(join(folder, 'cache')));
  expect(existsSync(trash.folder)).toBe(false);
  mkdirSync(join(folder, 'clone'));
  const [file, link] = [join(folder, 'clone/file'), join(folder, 'clone/link')];
  writeFileSync(file, 'mine');
  symlinkSync('no/where', link);
  trash.keep(file, 'sub/file');
  trash.keep(link, 'link');
  // Whoever still has it open goes on to write to what is kept.
  expect(lstatSync(join(trash.folder, 'sub/file')).ino).toBe(lstatSync(file).ino);
  expect(readlinkSync(join(trash.folder, 'link'))).toBe('no/where');
  expect([readFileSync(file, 'utf8'), readlinkSync(link)]).toEqual(['mine', 'no/where']);
});

it('the trash replaces nothing that it keeps', async () => {
  const folder = await tempFolder();
  const trash = openTrash(createLayout(join(folder, 'cache')));
  const [one, other] = [join(folder, 'one'), join(folder, 'other')];
  writeFileSync(one, 'one');
  writeFileSync(other, 'other');
  trash.keep(one, 'x');
  expect(() => trash.keep(other, 'x')).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  expect(readFileSync(join(trash.folder, 'x'), 'utf8')).toBe('one');
});

it('the trash copies a file of another file system', async ({ skip }) => {
  const folder = await tempFolder();
  const away = otherFileSystem(folder);
  if (away === undefined) return skip('there is no second file system here');
  const trash = openTrash(createLayout(join(folder, 'cache')));
  writeFileSync(join(away, 'file'), 'mine');
  trash.keep(join(away, 'file'), 'file');
  expect(readFileSync(join(trash.folder, 'file'), 'utf8')).toBe('mine');
});
