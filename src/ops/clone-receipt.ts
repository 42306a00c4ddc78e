import { lstatSync } from 'node:fs';
import { type Receipt, readReceipt, removeReceipt, writeReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { fsPath } from '../model/local-path.ts';

/** Writes the receipt first, so that nothing is ever cloned that the cache does not know of; takes it back on failure. */
export async function withReceipt<T>(
  ctx: Context,
  what: Pick<Receipt, 'project' | 'asset' | 'version' | 'destination' | 'mode' | 'include' | 'exclude' | 'siteCache'>,
  work: () => Promise<T>,
): Promise<T> {
  const { layout } = ctx.cache;
  await ctx.cache.open();
  const { destination } = what;
  const before = await readReceipt(layout, destination);
  const { dev: device, ino: inode, birthtimeMs: birth } = lstatSync(fsPath(destination));
  const createdAt = new Date().toISOString();
  await writeReceipt(layout, { ...what, device, inode, birth, createdAt });
  try {
    return await work();
  } catch (error) {
    if (before === undefined) await removeReceipt(layout, destination);
    else await writeReceipt(layout, before);
    throw error;
  }
}
