import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { locateClone } from '../../src/cache/locate-clone.ts';
import type { Receipt } from '../../src/cache/receipts.ts';
import { fsPath } from '../../src/model/local-path.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function makeClone(name = 'clone') {
  const folder = join(await tempFolder(), 'clones');
  const destination = join(folder, name);
  mkdirSync(fsPath(destination), { recursive: true });
  const { dev: device, ino: inode } = lstatSync(fsPath(destination));
  const ref = { project: 'p', asset: 'a', version: 'v' };
  const receipt: Receipt = {
    ...ref,
    destination,
    device,
    inode,
    mode: 'symlink',
    createdAt: '2024-05-06T07:08:09.123Z',
  };
  return { folder, destination, receipt };
}

it('a clone is found in its place, whatever number its device has now', async () => {
  const { destination, receipt } = await makeClone();
  expect(locateClone(receipt)).toEqual({ state: 'found', place: destination });
  expect(locateClone({ ...receipt, device: receipt.device + 1 })).toEqual({ state: 'found', place: destination });
});

it.each(['renamed', 'renam\udcff'])('a clone is found under another name in its folder: %j', async (name) => {
  const { folder, destination, receipt } = await makeClone('cl\udcfene');
  const place = join(folder, name);
  renameSync(fsPath(destination), fsPath(place));
  expect(locateClone(receipt)).toEqual({ state: 'found', place });
  mkdirSync(fsPath(destination));
  expect(locateClone(receipt)).toEqual({ state: 'found', place });
});

it('another folder in its place is told from it', async () => {
  const { folder, destination, receipt } = await makeClone();
  // Kept, so that its inode is not given again.
  mkdirSync(join(folder, 'away'));
  renameSync(destination, join(folder, 'away/clone'));
  mkdirSync(destination);
  expect(locateClone(receipt)).toEqual({ state: 'replaced', place: destination });
});

it('what was removed is missing, with its folder or without, also if a file stands there', async () => {
  const { folder, destination, receipt } = await makeClone();
  rmSync(destination, { recursive: true });
  expect(locateClone(receipt)).toEqual({ state: 'missing' });
  writeFileSync(destination, '');
  expect(locateClone(receipt)).toEqual({ state: 'missing' });
  rmSync(folder, { recursive: true });
  expect(locateClone(receipt)).toEqual({ state: 'missing' });
  writeFileSync(folder, '');
  expect(locateClone(receipt)).toEqual({ state: 'missing' });
});
