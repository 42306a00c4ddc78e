import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { formatTreeRecord, sameRecord, TREE_RECORD, type TreeRecord } from '../model/tree-record.ts';
import type { MadeFile, UploadLink } from '../model/upload-plan.ts';
import { digestText } from './digest-file.ts';
import { loadRecord } from './load-tree.ts';
import type { VersionDocuments } from './version-documents.ts';

/** What becomes of a tree record. */
export interface PlannedRecord {
  /** What is sent, unless it can be a link. */
  readonly made?: MadeFile;
  /** The link that it can be instead, if any: to the latest version's, which says the same but for times. */
  readonly links: readonly UploadLink[];
  /** Both say the same; also where there is to be none, and the latest version's is a file as any. */
  readonly isSame: boolean;
}

/** Compares the record of a version to be, if there is to be one, with that of the latest version. */
export async function planRecord(
  ctx: Context,
  latest: VersionDocuments | undefined,
  record: TreeRecord | undefined,
  call: CallOptions,
): Promise<PlannedRecord> {
  const entry = latest?.manifest[TREE_RECORD];
  if (record === undefined) return { links: [], isSame: true };
  const content = formatTreeRecord(record);
  const made = { path: TREE_RECORD, size: Buffer.byteLength(content), md5sum: digestText(content), content };
  const before = latest === undefined ? undefined : await loadRecordIfAny(ctx, latest, call);
  const isSame = before !== undefined && sameRecord(before, record);
  if (!isSame || latest === undefined || entry === undefined) return { made, links: [], isSame };
  const { size, md5sum } = entry;
  return { made, links: [{ path: TREE_RECORD, link: { ...latest.ref, path: TREE_RECORD }, size, md5sum }], isSame };
}

/** A record that cannot be used is none to compare with. */
async function loadRecordIfAny(
  ctx: Context,
  latest: VersionDocuments,
  call: CallOptions,
): Promise<TreeRecord | undefined> {
  try {
    return await loadRecord(ctx, latest, call);
  } catch (error) {
    if (isGypsumError(error, 'invalid-manifest') || isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}
