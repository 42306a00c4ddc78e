import { readIfThere } from '../cache/read-document.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { checkManifest, type Manifest } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { findRecord } from './records.ts';

/**
 * Gives the manifest that the cache has of a version: what we remember, else what another client has left there; nothing
 * if there is none that can be read. No request is made.
 */
export async function storedManifest(ctx: Context, ref: VersionRef): Promise<Manifest | undefined> {
  return (
    parseIfAny((await findRecord(ctx, ref, 'manifest'))?.text, ref) ??
    parseIfAny(await readIfThere(ctx.cache.layout.document(ref, 'manifest')), ref)
  );
}

function parseIfAny(text: string | undefined, ref: VersionRef): Manifest | undefined {
  if (text === undefined) return undefined;
  try {
    return checkManifest(parseJsonIfAny(text), ref);
  } catch (error) {
    if (isGypsumError(error, 'invalid-manifest')) return undefined;
    throw error;
  }
}
