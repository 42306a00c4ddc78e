import type { Buffer } from 'node:buffer';
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
    manifestIfSound(await readOthers(ctx, ref), ref)
  );
}

/** Whether that manifest has a file. Where its text cannot name it, all the rest of it, which takes a second to read, is not read. */
export async function isStored(ctx: Context, ref: VersionRef, path: string): Promise<boolean> {
  const content = (await findRecord(ctx, ref, 'manifest'))?.content ?? (await readOthers(ctx, ref));
  // In JSON, the same name may be written with escapes.
  const isNamed = content?.includes(path) || content?.includes('\\u');
  const manifest = isNamed ? await storedManifest(ctx, ref) : undefined;
  return manifest !== undefined && path in manifest;
}

function readOthers({ cache }: Context, ref: VersionRef): Promise<Buffer | undefined> {
  return readBytesIfThere(cache.layout.document(ref, 'manifest'));
}
