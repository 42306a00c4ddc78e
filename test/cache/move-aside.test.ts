import { existsSync, lstatSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { moveAside } from '../../src/cache/move-aside.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('what is found wrong is moved aside, and nothing else that stands there by then', async () => {
  const layout = createLayout(await tempFolder());
  const path = join(layout.root, 'file');
  writeFileSync(path, 'wrong');
  const wrong = lstatSync(path);
  writeFileSync(join(layout.root, 'new'), 'right');
  renameSync(join(layout.root, 'new'), path);
  expect(moveAside(layout, path, wrong)).toBeUndefined();
  expect(readFileSync(path, 'utf8')).toBe('right');
  const movedTo = moveAside(layout, path) ?? '';
  expect(existsSync(path)).toBe(false);
  expect(readFileSync(movedTo, 'utf8')).toBe('right');
});

it('a symlink is left to be replaced, and nothing is moved where nothing is', async () => {
  const layout = createLayout(await tempFolder());
  const path = join(layout.root, 'link');
  expect(moveAside(layout, path)).toBeUndefined();
  symlinkSync('elsewhere', path);
  expect(moveAside(layout, path)).toBeUndefined();
  expect(existsSync(layout.damages)).toBe(false);
});
