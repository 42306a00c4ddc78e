import { lstatSync } from 'node:fs';
import { type Receipt, readReceipt, removeReceipt, writeReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { fsPath } from '../model/local-path.ts';

/**
 * Writes the receipt first, so that nothing is ever cloned that the cache does not know of; takes it back on failure. What is
 * learned by doing it can be added.
 */
export async function withReceipt<T>(
  ctx: Context,
  what: Pick<Receipt, 'project' | 'asset' | 'version' | 'destination' | 'mode' | 'include' | 'exclude' | 'siteCache'>,
  work: (amend: (more: Pick<Receipt, 'notMade'>) => Promise<void>) => Promise<T>,
): Promise<T> {
  const { layout } = ctx.cache;
  await ctx.cache.open();
  const { destination } = what;
  const before = await readReceipt(layout, destination);
  const { dev: device, ino: inode, birthtimeMs: birth } = lstatSync(fsPath(destination));
  const createdAt = new Date().toISOString();
  const receipt = { ...what, device, inode, birth, createdAt };
  await writeReceipt(layout, receipt);
  try {
    return await work((more) => writeReceipt(layout, { ...receipt, ...more }));
  } catch (error) {
    if (before === undefined) await removeReceipt(layout, destination);
    else await writeReceipt(layout, before);
    throw error;
  }
}
