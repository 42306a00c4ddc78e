import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import type { Context } from '../context.ts';
import type { VersionRef } from '../model/refs.ts';
import {
  MAX_TREE_RECORD,
  parseTreeRecord,
  recordTooLarge,
  TREE_RECORD,
  type TreeRecord,
} from '../model/tree-record.ts';
import { type VersionTree, versionTree } from '../model/version-tree.ts';
import { saveFileOf } from './save-version.ts';
import { type LoadOptions, loadVersion, type VersionDocuments } from './version-documents.ts';

/** A version as the folder that it was, and what that was read from. */
export interface LoadedTree {
  readonly ref: VersionRef;
  readonly documents: VersionDocuments;
  readonly tree: VersionTree;
  /** Absent where the version has none. */
  readonly record?: TreeRecord;
}

/**
 * Reads a version's manifest, and its tree record if it has one, or throws what `loadVersion` throws and `invalid-manifest`
 * for a record that is refused. The record is fetched into the cache as any file; no other content is.
 */
export async function loadTree(ctx: Context, ref: VersionRef, options: LoadOptions): Promise<LoadedTree> {
  return completeTree(ctx, await loadVersion(ctx, ref, options), options);
}

/** Reads the tree record, if it has one, of a version whose documents are at hand. */
export async function completeTree(
  ctx: Context,
  documents: VersionDocuments,
  options: LoadOptions,
): Promise<LoadedTree> {
  const { ref, manifest } = documents;
  const record = await loadRecord(ctx, documents, options);
  return { ref, documents, tree: versionTree(manifest, record), ...(record !== undefined && { record }) };
}

/** Reads the tree record of a version whose documents are at hand; nothing if it has none. */
export async function loadRecord(
  ctx: Context,
  documents: Pick<VersionDocuments, 'ref' | 'manifest'>,
  options: LoadOptions,
): Promise<TreeRecord | undefined> {
  const { ref, manifest } = documents;
  const size = manifest[TREE_RECORD]?.size;
  if (size === undefined) return undefined;
  if (size > MAX_TREE_RECORD) throw recordTooLarge(ref);
  const place = await saveFileOf(ctx, documents, TREE_RECORD, options);
  const bytes = await readFile(place);
  options.signal?.throwIfAborted();
  // What stands for bytes that are no text would be taken for names that it does not have.
  return parseTreeRecord(isUtf8(bytes) ? bytes.toString() : '', ref);
}
