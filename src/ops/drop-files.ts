import { sep } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { evictFiles } from '../cache/evict.ts';
import { moveAside } from '../cache/move-aside.ts';
import { isCloneOf, listReceipts, needsFiles, type Receipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { type Count, countFiles } from '../model/count.ts';
import { formatFileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { showLines, showText } from '../model/text.ts';
import { byVersion } from './by-version.ts';
import { openFileClones } from './file-clones.ts';
import { findChanged } from './find-changed.ts';
import { type CloneLink, findCloneLinks } from './find-clone-links.ts';
import { describeKeeper, findKeepers, type Keeper, keeperHints } from './keepers.ts';
import { replaceCopies } from './replace-copies.ts';
import { run } from './run.ts';
import { versionLockOptions } from './version-lock.ts';

export interface DropOptions extends CallOptions {
  /**
   * Drop also what another clone needs, whose links dangle then. What was edited through its link is moved aside in the
   * cache. @default false
   */
  force?: boolean;
}

/** Files of the cache that were there and are dropped. */
export interface DroppedFiles extends Count {
  /** How much is free by that: equal files of other versions keep their content. Units: bytes */
  readonly freed: number;
}

/**
 * Lets what links in a clone lead to go from the cache: they dangle then, which is enough to publish from, and `fetchFiles`
 * brings it again. `paths` are as there. Throws `in-use` if another clone needs any of it, or if it was edited through
 * its link: then nothing is dropped. What a link into the site cache leads to is not ours to drop.
 *
 * In a clone of real files, those go, too, that are as its version's, and links stand in their place.
 */
export async function dropFiles(
  ctx: Context,
  paths: readonly string[],
  { force = false, ...options }: DropOptions = {},
): Promise<DroppedFiles> {
  const { layout } = ctx.cache;
  return run(ctx, options, async () => {
    const copiesIn = await openFileClones(ctx, options);
    const found = await findCloneLinks(ctx, paths, { ...options, copiesIn });
    const links = found.filter(({ file, inSite }) => !inSite && statIfThere(layout.file(file)) !== undefined);
    const before = new Set((await listReceipts(layout)).receipts.map(receiptName));
    const shown = links.filter(({ copy }) => copy === undefined || copy.inCache);
    const edited = await findChanged(ctx, shown, ({ source }) => source, options);
    if (!force) refuse(edited, await findOthers(ctx, links, options));
    for (const { file } of edited) {
      const path = layout.file(file);
      const movedTo = moveAside(layout, path);
      if (movedTo !== undefined) options.onEvent?.({ type: 'damaged', file, path, movedTo });
    }
    const emptied = found.filter((link) => link.copy !== undefined && !edited.includes(link));
    let freed = await replaceCopies(ctx, emptied, options);
    const files = distinct(links);
    for (const { ref, items } of byVersion(files, ({ file }) => file)) {
      // Somebody may have cloned it since.
      const isFree = async () => force || (await newReceipts(ctx, ref, before)).length === 0;
      freed += await drop(ctx, ref, items, isFree, options);
    }
    return { ...countFiles(distinct([...links, ...emptied])), freed };
  });
}

async function drop(
  ctx: Context,
  ref: VersionRef,
  files: readonly CloneLink[],
  isFree: () => Promise<boolean>,
  options: CallOptions,
): Promise<number> {
  const { layout } = ctx.cache;
  const evicted = files.map(({ file, project, md5sum }) => ({
    path: layout.file(file),
    blobs: [layout.blob, layout.executable].map((blob) => blob(project, { algorithm: 'md5', hex: md5sum })),
  }));
  const freed = await evictFiles(layout, ref, evicted, { isFree, ...versionLockOptions(ref, options) });
  if (freed !== undefined) return freed;
  throw inUse(
    [`${formatRef(ref)}: ${describeKeeper({ type: 'use' })}`],
    ['Say it once more: what needs it is named then.'],
  );
}

function receiptName({ destination, createdAt }: Receipt): string {
  return `${createdAt} ${destination}`;
}

async function newReceipts(ctx: Context, ref: VersionRef, before: ReadonlySet<string>): Promise<Receipt[]> {
  const { receipts } = await listReceipts(ctx.cache.layout);
  return receipts.filter(
    (receipt) => isCloneOf(receipt, ref) && needsFiles(receipt) && !before.has(receiptName(receipt)),
  );
}

/** Whether a clone is one in which each of the files was named. */
function isOwn(destination: string, links: readonly CloneLink[]): boolean {
  const named = links.filter(({ source }) => source.startsWith(destination + sep));
  return distinct(named).length === distinct(links).length;
}

function distinct(links: readonly CloneLink[]): CloneLink[] {
  return [...new Map(links.map((link) => [formatFileRef(link.file), link])).values()];
}

interface Needed {
  readonly ref: VersionRef;
  readonly keeper: Keeper;
}

/** Finds what needs the versions besides the clone that the links stand in. */
async function findOthers(ctx: Context, links: readonly CloneLink[], options: CallOptions): Promise<Needed[]> {
  const keepers = await findKeepers(ctx, { forgetMissing: false }, options);
  return byVersion(links, ({ file }) => file).flatMap(({ ref, items }) =>
    keepers
      .of(ref)
      .filter((keeper) => keeper.type !== 'clone' || !isOwn(keeper.destination, items))
      .map((keeper) => ({ ref, keeper })),
  );
}

/** How many lines a message has; `details` has all. */
const NAMED = 10;

function refuse(edited: readonly CloneLink[], others: readonly Needed[]): void {
  const reasons = [
    ...edited.map(({ path }) => `${showText(path)} was edited through its link, in the cache`),
    ...others.map(({ ref, keeper }) => `${formatRef(ref)}: ${describeKeeper(keeper)}`),
  ];
  if (reasons.length === 0) return;
  const isNeeded = others.some(({ keeper }) => keeper.type === 'clone' && keeper.state === 'found');
  throw inUse(reasons, [
    ...(edited.length > 0 ? ['To keep an edit, publish it with "gypsum upload --rescue".'] : []),
    ...(isNeeded
      ? ['To drop it in all clones that need it, give its paths in each of them, or remove those clones.']
      : []),
    ...keeperHints(others.map(({ keeper }) => keeper)),
    'With "force" (--force), it goes: links of other clones dangle then, and edits are moved aside in the cache.',
  ]);
}

function inUse(reasons: readonly string[], hints: readonly string[]): GypsumError {
  return new GypsumError('in-use', `Nothing was dropped, since it is in use:${showLines(reasons, NAMED)}`, {
    hint: hints.join(' '),
    details: { reasons },
  });
}
