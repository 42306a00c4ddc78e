import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCloneFiles, writeCloneFiles } from '../../src/cache/clone-files.ts';
import { createLayout } from '../../src/cache/layout.ts';
import {
  findReceipt,
  listReceipts,
  type Receipt,
  readReceipt,
  removeReceipt,
  writeReceipt,
} from '../../src/cache/receipts.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const receipt: Receipt = {
  project: 'p',
  asset: 'a',
  version: 'v',
  destination: '/home/me/data',
  device: 1,
  inode: 2 ** 40,
  birth: 1.7e12 + 0.125,
  mode: 'symlink',
  createdAt: '2024-05-06T07:08:09.123Z',
};

it('a receipt is read as it was written, by the place of its clone', async () => {
  const layout = createLayout(await tempFolder());
  expect(await readReceipt(layout, receipt.destination)).toBeUndefined();
  await writeReceipt(layout, receipt);
  expect(await readReceipt(layout, receipt.destination)).toEqual(receipt);
  expect(await readReceipt(layout, '/home/me/data2')).toBeUndefined();
});

it('there is one for each place, the last', async () => {
  const layout = createLayout(await tempFolder());
  await writeReceipt(layout, receipt);
  await writeReceipt(layout, { ...receipt, version: 'w' });
  expect(await readReceipt(layout, receipt.destination)).toEqual({ ...receipt, version: 'w' });
  expect(readdirSync(layout.clones)).toHaveLength(1);
  await removeReceipt(layout, receipt.destination);
  await removeReceipt(layout, receipt.destination);
  expect(await readReceipt(layout, receipt.destination)).toBeUndefined();
});

it('one is found by its place, or by its folder after that was moved', async () => {
  const layout = createLayout(await tempFolder());
  const stats = { dev: receipt.device, ino: receipt.inode, birthtimeMs: 1.7e12 + 0.125 };
  expect(await findReceipt(layout, receipt.destination, stats)).toBeUndefined();
  await writeReceipt(layout, receipt);
  const other = { ...receipt, destination: '/home/me/other', inode: 7 };
  await writeReceipt(layout, other);
  expect(await findReceipt(layout, receipt.destination, stats)).toEqual(receipt);
  expect(await findReceipt(layout, '/moved', stats)).toEqual(receipt);
  // It was moved to where another one had been.
  expect(await findReceipt(layout, other.destination, stats)).toEqual(receipt);
  // A folder that was copied has another inode.
  expect(await findReceipt(layout, receipt.destination, { ...stats, ino: 8 })).toEqual(receipt);
  expect(await findReceipt(layout, '/copied', { ...stats, ino: 8 })).toBeUndefined();
  // It was removed, and its inode is a new folder's.
  expect(await findReceipt(layout, '/new', { ...stats, birthtimeMs: 1.8e12 })).toBeUndefined();
  // A restart has given the device another number.
  expect(await findReceipt(layout, receipt.destination, { ...stats, dev: 9 })).toEqual(receipt);
});

it('those that cannot be read are named', async () => {
  const layout = createLayout(await tempFolder());
  expect(await listReceipts(layout)).toEqual({ receipts: [], unreadable: [] });
  await writeReceipt(layout, receipt);
  writeFileSync(join(layout.clones, 'x.json'), '{}');
  expect(await listReceipts(layout)).toEqual({
    receipts: [receipt],
    unreadable: [{ path: join(layout.clones, 'x.json') }],
  });
  const { project, asset, version, destination } = receipt;
  writeFileSync(join(layout.clones, 'x.json'), JSON.stringify({ ...receipt, mode: 'of a later time' }));
  const about = { project, asset, version, destination };
  expect(await listReceipts(layout)).toMatchObject({ unreadable: [{ about }] });
});

it('what is remembered of a clone’s files is of one version, and goes with its receipt', async () => {
  const layout = createLayout(await tempFolder());
  const ref = { project: 'p', asset: 'a', version: 'v' };
  const files = new Map([['__proto__', [1, 2, 3, 4.5, 5.25] as const]]);
  await writeReceipt(layout, receipt);
  await writeCloneFiles(layout, receipt.destination, ref, files);
  expect(await readCloneFiles(layout, receipt.destination, ref)).toEqual(files);
  expect(await readCloneFiles(layout, receipt.destination, { ...ref, version: 'w' })).toEqual(new Map());
  await removeReceipt(layout, receipt.destination);
  expect(await readCloneFiles(layout, receipt.destination, ref)).toEqual(new Map());
});

it('places whose names are not UTF-8 are told apart, and come back as they were', async () => {
  const layout = createLayout(await tempFolder());
  const places = ['/home/\udcff', '/home/\udcfe', '/home/\ufffd'];
  for (const destination of places) await writeReceipt(layout, { ...receipt, destination });
  for (const destination of places) expect((await readReceipt(layout, destination))?.destination).toBe(destination);
});

it.each(['', '{', '[]', '{}', JSON.stringify({ ...receipt, inode: 'x' })])(
  'a damaged one is none: %j',
  async (damaged) => {
    const layout = createLayout(await tempFolder());
    await writeReceipt(layout, receipt);
    const [name = ''] = readdirSync(layout.clones);
    writeFileSync(join(layout.clones, name), damaged);
    expect(await readReceipt(layout, receipt.destination)).toBeUndefined();
  },
);
