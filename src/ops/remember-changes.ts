import { statIfThere } from '../cache/blobs.ts';
import { readCloneFiles } from '../cache/clone-files.ts';
import { MAX_DIGESTS, openLocalDigests } from '../cache/local-digests.ts';
import { versionsOf } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { type Content, sameContent } from '../model/content.ts';
import { type Fingerprint, fingerprintOf, sameFingerprint } from '../model/fingerprint.ts';
import { placeIn } from '../model/local-path.ts';
import { sameVersion } from '../model/refs.ts';
import type { MadeFiles } from '../tree/made-files.ts';
import { reach } from '../tree/places.ts';
import type { Step } from '../tree/step.ts';
import { rememberFiles } from './clone-files.ts';
import type { FoundClone } from './find-clone.ts';
import { storedManifest } from './stored-manifest.ts';
import type { VersionDocuments } from './version-documents.ts';

/** What was made in a clone. */
export interface Changes {
  readonly steps: readonly Step[];
  /** The files that they made, as they looked then. */
  readonly made: MadeFiles;
  /** The real path in the receipt of the clone. */
  readonly destination: string;
}

/** Remembers what the files hold that were made in a clone, so that nobody needs to read them. */
export async function rememberChanges(
  ctx: Context,
  { root, receipt }: FoundClone,
  { ref, manifest }: VersionDocuments,
  changes: Changes,
  options: CallOptions,
): Promise<void> {
  if (receipt.mode === 'symlink') return rememberCopies(ctx, root, changes, options.signal);
  const { layout } = ctx.cache;
  const files = new Map<string, Fingerprint>();
  for (const version of versionsOf(receipt)) {
    const before = sameVersion(version, ref) ? manifest : await storedManifest(ctx, version);
    for (const [path, print] of await readCloneFiles(layout, receipt.destination, version)) {
      if (isSame(before?.[path], manifest[path])) files.set(path, print);
    }
  }
  for (const [at, { path, after }] of changes.steps.entries()) {
    const print = changes.made.at(at);
    if (print === undefined || after?.type !== 'file') continue;
    if (isSame({ size: after.size, md5sum: after.digest.hex }, manifest[path])) files.set(path, print);
  }
  await rememberFiles(ctx, ref, root, files, { ...options, destination: changes.destination });
}

async function rememberCopies(
  ctx: Context,
  root: string,
  { steps, made }: Changes,
  signal: AbortSignal | undefined,
): Promise<void> {
  const digests = openLocalDigests(ctx.cache.layout);
  // More would be noted for nothing: of a million, that takes 300 MiB.
  for (const [at, { path, after }] of steps.entries()) {
    if (at < steps.length - MAX_DIGESTS) continue;
    const print = made.at(at);
    const place = placeIn(root, path);
    const stats = print === undefined ? undefined : reach(place, statIfThere);
    if (stats === undefined || print === undefined || after?.type !== 'file') continue;
    if (sameFingerprint(fingerprintOf(stats), print)) digests.note(place, stats, after.digest.hex);
  }
  await digests.flush(signal);
}

function isSame(a: Content | undefined, b: Content | undefined): boolean {
  return a !== undefined && b !== undefined && sameContent(a, b);
}
