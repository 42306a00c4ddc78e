import { lstatSync } from 'node:fs';
import { basename } from 'node:path';
import { parseBucketText } from '../cache/bucket-text.ts';
import { isGone } from '../cache/locate-clone.ts';
import { findReceipt, type Receipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import { fsPath } from '../model/local-path.ts';
import { checkVersionRef, type FileRef, fileRefOf, sameVersion, type VersionRef } from '../model/refs.ts';
import type { Tree } from '../model/tree.ts';
import { byVersion } from './by-version.ts';
import { noClone } from './no-clone.ts';
import { readClones } from './registered-clones.ts';
import { storedManifest } from './stored-manifest.ts';
import { versionIfAny } from './version-documents.ts';

/** What is known of a folder that is a clone. */
export interface Identity {
  readonly ref: VersionRef;
  readonly mode?: CloneMode;
  /** The receipt of this very clone, wherever it says that it is. */
  readonly receipt?: Receipt;
}

/**
 * Says which version a folder is a clone of: as it is given, as its receipt says, as most of its links do, or as the clone
 * had it that cannot be found and whose files are here. Throws `invalid-argument` if nothing does.
 */
export async function identifyClone(
  ctx: Context,
  root: string,
  tree: Tree,
  given: VersionRef | undefined,
  options: CallOptions,
): Promise<Identity> {
  const receipt = await findReceipt(ctx.cache.layout, root, lstatSync(fsPath(root)));
  if (receipt !== undefined && (given === undefined || sameVersion(receipt, given))) {
    return { ref: checkVersionRef(receipt), mode: receipt.mode, receipt };
  }
  if (given !== undefined) return { ref: given, ...(await findMoved(ctx, root, given, options)) };
  const linked = await readLinks(ctx, tree, options);
  if (linked !== undefined) {
    return { ref: linked, mode: 'symlink', ...(await findMoved(ctx, root, linked, options, 'symlink')) };
  }
  const lost = await findLost(ctx, tree, options);
  if (lost === undefined) throw noClone(root);
  return { ref: checkVersionRef(lost), mode: lost.mode, ...(isGone(lost) && { receipt: lost }) };
}

/**
 * Gives the receipt of the clone that a folder must have been, at another place: of that version, and gone from a disk
 * that is there. Of several, it is the one of the same name; where that says nothing, none.
 */
async function findMoved(
  ctx: Context,
  root: string,
  ref: VersionRef,
  options: CallOptions,
  mode?: CloneMode,
): Promise<Pick<Identity, 'receipt'>> {
  const { clones } = await readClones(ctx, options);
  const gone = clones
    .filter(({ receipt, state }) => state === 'missing' && sameVersion(receipt, ref) && isGone(receipt))
    .map(({ receipt }) => receipt)
    .filter((receipt) => mode === undefined || receipt.mode === mode);
  const named = gone.filter(({ destination }) => basename(destination) === basename(root));
  const [receipt, ...others] = named.length > 0 ? named : gone;
  return receipt === undefined || others.length > 0 ? {} : { receipt };
}

/** How many versions are looked up that links may be of. */
const MAX_GUESSES = 5;

/** Gives the version that most links name, in whatever cache. */
async function readLinks(ctx: Context, tree: Tree, options: CallOptions): Promise<VersionRef | undefined> {
  const files: FileRef[] = [];
  for (const entry of tree) {
    if (entry.type !== 'symlink') continue;
    for (const { parts } of parseBucketText(entry.target)) {
      const file = fileRefOf(parts);
      if (file !== undefined) files.push(file);
    }
  }
  const guesses = byVersion(files, (file) => file).toSorted((a, b) => b.items.length - a.items.length);
  for (const { ref, items } of guesses.slice(0, MAX_GUESSES)) {
    const manifest = (await storedManifest(ctx, ref)) ?? (await versionIfAny(ctx, ref, options))?.manifest;
    if (manifest !== undefined && items.some(({ path }) => path in manifest)) return ref;
  }
  return undefined;
}

/** Gives the receipt of the clone of files that cannot be found, and of whose files most are here: at least half. */
async function findLost(ctx: Context, tree: Tree, options: CallOptions): Promise<Receipt | undefined> {
  const sizes = new Map(tree.map((entry) => [entry.path, entry.type === 'file' ? entry.size : undefined]));
  let best: { receipt: Receipt; share: number } | undefined;
  for (const { receipt, state } of (await readClones(ctx, options)).clones) {
    const manifest = state === 'missing' && receipt.mode !== 'symlink' ? await storedManifest(ctx, receipt) : undefined;
    if (manifest === undefined) continue;
    const files = Object.entries(manifest);
    const share = files.filter(([path, { size }]) => sizes.get(path) === size).length / files.length;
    if (share >= 0.5 && share > (best?.share ?? 0)) best = { receipt, share };
  }
  return best?.receipt;
}
