import type { Buffer } from 'node:buffer';
import { letGoOf, readLargeIfThere } from '../cache/read-document.ts';
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
  for (const read of [readOwn, readOthers]) {
    const content = await read(ctx, ref);
    const manifest = manifestIfSound(content, ref);
    if (content !== undefined) letGoOf(content);
    if (manifest !== undefined) return manifest;
  }
  return undefined;
}

/** Whether that manifest has a file. Where no text can name it, all the rest of it, which takes a second to read, is not read. */
export async function isStored(ctx: Context, ref: VersionRef, path: string): Promise<boolean> {
  let isNamed = false;
  // What we remember may be damaged: then the other one counts.
  for (const read of [readOwn, readOthers]) {
    if (isNamed) break;
    const content = await read(ctx, ref);
    // In JSON, the same name may be written with escapes.
    isNamed = content !== undefined && (content.includes(path) || content.includes('\\'));
    if (content !== undefined) letGoOf(content);
  }
  const manifest = isNamed ? await storedManifest(ctx, ref) : undefined;
  return manifest !== undefined && path in manifest;
}

async function readOwn(ctx: Context, ref: VersionRef): Promise<Buffer | undefined> {
  return (await findRecord(ctx, ref, 'manifest'))?.content;
}

function readOthers({ cache }: Context, ref: VersionRef): Promise<Buffer | undefined> {
  return readLargeIfThere(cache.layout.document(ref, 'manifest'));
}
