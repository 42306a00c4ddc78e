import { readBytesIfThere } from '../cache/read-document.ts';
import type { Context } from '../context.ts';
import type { Manifest } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { findRecord } from './records.ts';
import { manifestIfSound } from './version-documents.ts';

/**
 * Gives the manifest that the cache has of a version: what we remember, else what another client has left there; nothing
 * if there is none that can be read. No request is made.
 */
export async function storedManifest(ctx: Context, ref: VersionRef): Promise<Manifest | undefined> {
  return (
    manifestIfSound((await findRecord(ctx, ref, 'manifest'))?.content, ref) ??
    manifestIfSound(await readBytesIfThere(ctx.cache.layout.document(ref, 'manifest')), ref)
  );
}
