import { z } from 'zod';
import { isGypsumError } from '../errors.ts';
import { INTERNAL, keys } from '../model/keys.ts';
import { checkManifest, type Manifest } from '../model/manifest.ts';
import type { VersionRef } from '../model/refs.ts';
import { wireSummary } from '../model/summary.ts';
import type { Documents } from './documents.ts';
import { describe, wirePermissions } from './permissions.ts';
import { faultOf, type Note } from './problem.ts';
import { wireQuota } from './quota.ts';
import type { Storage } from './storage.ts';
import { isNamed, listAssets } from './survey.ts';

/** The forms of the documents that are not compared with anything else. */
export const FORMS = {
  permissions: wirePermissions,
  quota: wireQuota,
  usage: z.object({ total: z.number().int().min(0) }),
  latest: z.object({ version: z.string() }),
  summary: wireSummary,
  lock: z.object({ session_hash: z.string(), asset: z.string(), version: z.string() }),
  log: z.object({ type: z.string(), project: z.string() }),
} as const;

/** A document as it was found: its value if it is one, else whether there is anything at all. */
export interface Checked<T> {
  readonly value?: T;
  readonly isThere: boolean;
}

/** Reads a document, and notes if it is not of its form. */
export async function checkDocument<T>(
  documents: Documents,
  key: string,
  form: z.ZodType<T>,
  note: Note,
): Promise<Checked<T>> {
  try {
    const read = await documents.read(key);
    if (read === undefined) return { isThere: false };
    const parsed = form.safeParse(read);
    if (parsed.success) return { value: parsed.data, isThere: true };
    note(key, 'invalid-document', `is not valid: ${describe(parsed.error)}`);
  } catch (error) {
    const found = faultOf(error);
    if (found === undefined) throw error;
    if (found.fault === 'wrong-content') note(key, 'invalid-document', 'is not JSON');
    else note(key, found.fault, found.message);
  }
  return { isThere: true };
}

/** Gives what is read, or nothing where it is damaged: whoever looks after that document tells of it. */
export async function unlessDamaged<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (faultOf(error) !== undefined) return undefined;
    throw error;
  }
}

/**
 * Notes which documents of a project are not of their form, or are missing.
 *
 * Its making writes the permissions last, and its removal takes them first: where they are, the others are too.
 */
export async function checkProjectDocuments(
  { storage, documents }: { storage: Storage; documents: Documents },
  project: string,
  note: Note,
): Promise<void> {
  const permissions = await checkDocument(documents, keys.permissions(project), FORMS.permissions, note);
  await checkDocument(documents, keys.lock(project), FORMS.lock, note);
  for (const [key, form] of [
    [keys.quota(project), FORMS.quota],
    [keys.usage(project), FORMS.usage],
  ] as const) {
    const { isThere } = await checkDocument<unknown>(documents, key, form, note);
    if (isThere || !permissions.isThere) continue;
    if ((await storage.size(keys.permissions(project))) !== undefined) note(key, 'missing', 'is not there');
  }
  if (!permissions.isThere && (await isMasterless({ storage, documents }, project))) {
    note(keys.permissions(project), 'missing', 'is not there');
  }
}

/** A making that was interrupted leaves a project without permissions, but with no assets; a removal leaves its lock. */
async function isMasterless(needs: { storage: Storage; documents: Documents }, project: string): Promise<boolean> {
  const isThere = async (key: string) => (await needs.storage.size(key)) !== undefined;
  for await (const _ of listAssets(needs, project)) {
    return !(await isThere(keys.lock(project))) && !(await isThere(keys.permissions(project)));
  }
  return false;
}

const OWN = {
  root: [keys.logs],
  project: [INTERNAL.permissions, INTERNAL.quota, INTERNAL.usage, INTERNAL.lock],
  asset: [INTERNAL.latest],
} as const;

/** Notes what stands beside the folders of one level and is none of its documents. */
export async function checkLevel(storage: Storage, level: keyof typeof OWN, prefix: string, note: Note): Promise<void> {
  const own: readonly string[] = OWN[level];
  for await (const key of storage.list(prefix)) {
    const name = key.slice(prefix.length);
    if (!isNamed(key, prefix) && !own.includes(name)) note(key, 'foreign', 'is nothing that belongs here');
  }
}

/** Whether a version has lost its summary: starts and removals leave one without it only while they hold the project. */
export async function isHeadless({ storage }: { storage: Storage }, ref: VersionRef): Promise<boolean> {
  const isThere = async (key: string) => (await storage.size(key)) !== undefined;
  for await (const _ of storage.list(keys.version(ref))) {
    return !(await isThere(keys.lock(ref.project))) && !(await isThere(keys.summary(ref)));
  }
  return false;
}

/** Reads the manifest of a finished version, and notes if that has none, or one that no version can have. */
export async function readManifest(documents: Documents, ref: VersionRef, note: Note): Promise<Manifest | undefined> {
  const key = keys.manifest(ref);
  try {
    const manifest = await documents.read(key);
    if (manifest !== undefined) return checkManifest(manifest, ref);
    note(key, 'missing', 'is not there');
  } catch (error) {
    const found = faultOf(error);
    if (found?.fault === 'unreadable') note(key, found.fault, found.message);
    else if (isGypsumError(error) && (found !== undefined || error.code === 'invalid-manifest')) {
      note(key, 'invalid-manifest', error.message);
    } else throw error;
  }
  return undefined;
}
