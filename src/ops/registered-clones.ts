import { dirname, join } from 'node:path';
import { locateClone } from '../cache/locate-clone.ts';
import { listReceipts, type Receipt, type UnreadableReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { inScope, type Scope } from '../model/refs.ts';
import { realPath } from '../tree/real-path.ts';
import { scanFolder } from '../tree/scan.ts';
import { watchBuckets } from './watch-buckets.ts';

/** A clone that the cache has a receipt of. */
export interface RegisteredClone {
  readonly receipt: Receipt;
  /** `missing`: it was removed, or moved further than we can see. `unreadable`: whether it is there is hidden from us. */
  readonly state: 'found' | 'missing' | 'unreadable';
  /** Where it is now, if it was found. */
  readonly place?: string;
}

/** All registered clones, and the receipts that cannot be read. */
export interface RegisteredClones {
  readonly clones: readonly RegisteredClone[];
  readonly unreadable: readonly UnreadableReceipt[];
}

export async function readClones(ctx: Context, options: CallOptions): Promise<RegisteredClones> {
  const { receipts, unreadable } = await listReceipts(ctx.cache.layout);
  const clones: RegisteredClone[] = [];
  for (const receipt of receipts) {
    options.signal?.throwIfAborted();
    clones.push({ receipt, ...(await locate(ctx, receipt, options)) });
  }
  return { clones, unreadable };
}

async function locate(
  ctx: Context,
  receipt: Receipt,
  options: CallOptions,
): Promise<Pick<RegisteredClone, 'state' | 'place'>> {
  const found = locateClone(receipt);
  if (found.state !== 'replaced') return found;
  const linked = await linksToClone(ctx, receipt, found.place, options);
  if (linked === undefined) return { state: 'unreadable' };
  return linked ? { state: 'found', place: found.place } : { state: 'missing' };
}

/**
 * Whether another folder in the place of a clone has links to its version: a copy, as from a backup, is the clone all the
 * same, any other folder is not. Nothing if some of it cannot be read.
 */
export async function linksToClone(
  ctx: Context,
  receipt: Receipt,
  folder: string,
  options: CallOptions,
): Promise<boolean | undefined> {
  return (await linkedScopes(ctx, folder, options))?.some((scope) => inScope(receipt, scope));
}

/**
 * Gives what of the cache the links in a folder lead to, versions or what is above them, each once; nothing if some of the
 * folder cannot be read.
 */
export async function linkedScopes(
  ctx: Context,
  folder: string,
  { signal }: CallOptions,
): Promise<Scope[] | undefined> {
  const resolver = watchBuckets(ctx);
  const found = new Map<string, Scope>();
  const pace = createPace(signal);
  try {
    const real = realPath(folder);
    for (const entry of await scanFolder(real, { signal, sizes: false })) {
      if (entry.type !== 'symlink') continue;
      const to = resolver.resolve(dirname(join(real, entry.path)), entry.target);
      const [project, asset, version] = to.type === 'inside' ? to.parts : [];
      if (project === undefined) continue;
      const scope = { project, ...(asset !== undefined && { asset }), ...(version !== undefined && { version }) };
      found.set([project, asset, version].join('/'), scope);
      if (pace.due()) await pace.rest();
    }
    return [...found.values()];
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EIO', 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
