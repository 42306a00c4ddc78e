import { lstatSync } from 'node:fs';
import { type Receipt, removeReceipt, versionsOf, writeReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { fsPath } from '../model/local-path.ts';
import { sameVersion, type VersionRef } from '../model/refs.ts';
import type { FoundClone } from './find-clone.ts';
import { holdFiles } from './hold-files.ts';

/** A clone on its way from one version to another. */
export interface Journey {
  /** Says that it is there: all of it is of the new version now, but for symlinks that could not be made. */
  arrive(notMade: readonly string[]): Promise<void>;
  /** Says that it has not left. */
  turnBack(): Promise<void>;
}

/**
 * Writes down that a clone is going over to another version before any of it does: the cache keeps the files of both, and
 * whoever goes on with it after a kill knows what may be there. `save` makes sure that the new files are in the cache.
 */
export async function setOut(
  ctx: Context,
  { root, receipt }: FoundClone,
  ref: VersionRef,
  save: () => Promise<unknown>,
  options: CallOptions,
): Promise<Journey> {
  const { layout } = ctx.cache;
  const { from: _, notMade: before, ...kept } = receipt;
  const { dev: device, ino: inode, birthtimeMs: birth } = lstatSync(fsPath(root));
  const there: Receipt = {
    ...kept,
    ...ref,
    destination: root,
    device,
    inode,
    birth,
    createdAt: new Date().toISOString(),
  };
  const from = versionsOf(receipt).filter((version) => !sameVersion(version, ref));
  const journey: Journey = {
    async arrive(notMade) {
      await writeReceipt(layout, { ...there, ...(notMade.length > 0 && { notMade: [...notMade] }) });
      if (receipt.destination !== root) await removeReceipt(layout, receipt.destination);
    },
    async turnBack() {
      if (receipt.destination !== root) await removeReceipt(layout, root);
      await writeReceipt(layout, receipt);
    },
  };
  await writeReceipt(layout, { ...there, ...(before && { notMade: before }), ...(from.length > 0 && { from }) });
  try {
    await holdFiles(ctx, ref, options, save);
    return journey;
  } catch (error) {
    await journey.turnBack();
    throw error;
  }
}
