import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLayout } from '../../src/cache/layout.ts';
import { type Receipt, readReceipt, removeReceipt, writeReceipt } from '../../src/cache/receipts.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const receipt: Receipt = {
  project: 'p',
  asset: 'a',
  version: 'v',
  destination: '/home/me/data',
  device: 1,
  inode: 2 ** 40,
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
