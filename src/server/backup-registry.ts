import { text } from 'node:stream/consumers';
import { keys } from '../model/keys.ts';
import { entryDigest, type ManifestEntry } from '../model/manifest.ts';
import type { AssetRef, VersionRef } from '../model/refs.ts';
import { createDocuments, isDocument, type StoredManifest } from './documents.ts';
import { listGone } from './gone-objects.ts';
import { faultOf, type Note, type Problem } from './problem.ts';
import type { Storage } from './storage.ts';
import { findLatest, listAssets, listProjects, listVersions, measureAsset, ownFiles } from './survey.ts';
import {
  checkDocument,
  checkProjectDocuments,
  FORMS,
  isHeadless,
  readManifest,
  unlessDamaged,
} from './verify-documents.ts';
import { deleteVersion } from './version.ts';

export interface BackedUp {
  /** Versions that were not there yet, or were another's of the same name. */
  readonly versions: number;
  /** Objects that were copied. */
  readonly objects: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Objects that the registry does not have any more; they stay, unless they are to go. */
  readonly gone: number;
  /** Whether those were removed. */
  readonly pruned: boolean;
  /** What is wrong with the registry, and was not copied. */
  readonly problems: readonly Problem[];
}

export interface BackupOptions {
  /** Removes what the registry does not have any more, but not where anything is wrong with it. @default false */
  prune?: boolean;
  /**
   * Asks whether so much is to go, before anything is done, where that is more than a third of all: a registry may have
   * lost what it does not have any more. Nothing is done if it throws.
   */
  confirmPrune?: (of: { gone: number; objects: number }) => Promise<void>;
  /** Before a version's files are copied. Units: bytes */
  onVersion?: (of: { files: number; bytes: number }) => void;
  /** A file of a version has been copied, or is there already. Units: bytes */
  onFile?: (bytes: number) => void;
  signal?: AbortSignal;
}

/** How much of a copy may go without being asked about. */
const LARGE_SHARE = 1 / 3;

/**
 * Copies what is new from one storage to another; every byte is verified on the way. What is damaged is left out, and
 * told of; where the copy has it sound, that stays.
 *
 * It may run beside the registry and be interrupted: the files of a version come before its summary, so that the copy
 * never has a version that is not whole. Uploads that are in progress are left out, and so are locks; which version is
 * the latest, and how much is stored, is said of what the copy has.
 */
export async function backupRegistry(
  from: Storage,
  to: Storage,
  { prune = false, confirmPrune, onVersion, onFile, signal }: BackupOptions = {},
): Promise<BackedUp> {
  const source = { storage: from, documents: createDocuments(from) };
  const copied = { storage: to, documents: createDocuments(to) };
  const sum = { versions: 0, objects: 0, bytes: 0, gone: 0 };
  const problems: Problem[] = [];
  const note: Note = (key, fault, message) => problems.push({ key, fault, message });
  /** Projects and assets whose versions are not those that they had. */
  const changed = new Set<string>();
  if (prune) await askToPrune();
  for await (const project of listProjects(source)) {
    await copyProjectDocuments(project);
    for await (const asset of listAssets(source, project)) {
      for await (const version of listVersions(source, asset)) await copyVersion(version);
    }
  }
  for await (const key of from.list(keys.logs)) {
    const { value } = await checkDocument(source.documents, key, FORMS.log, note);
    if (value !== undefined) await copy(key);
  }
  const pruned = prune && problems.length === 0;
  for await (const { key, version } of listGone(source, copied)) {
    signal?.throwIfAborted();
    sum.gone++;
    if (!pruned) continue;
    await to.delete(key);
    if (version !== undefined) changed.add(keys.project(version.project)).add(keys.asset(version));
  }
  for await (const project of listProjects(copied)) await settle(project);
  return { ...sum, pruned, problems };

  async function askToPrune(): Promise<void> {
    if (confirmPrune === undefined) return;
    const of = { gone: 0, objects: 0 };
    for await (const _ of listGone(source, copied)) of.gone++;
    for await (const _ of to.list('', { recursive: true })) of.objects++;
    if (of.gone > of.objects * LARGE_SHARE) await confirmPrune(of);
  }

  async function copyProjectDocuments(project: string): Promise<void> {
    const before = problems.length;
    await checkProjectDocuments(source, project, note);
    const damaged = new Set(problems.slice(before).map(({ key }) => key));
    for (const key of [keys.quota(project), keys.usage(project), keys.permissions(project)]) {
      if (!damaged.has(key)) await copy(key);
    }
  }

  async function copyVersion(ref: VersionRef): Promise<void> {
    const key = keys.summary(ref);
    const summary = await checkDocument(source.documents, key, FORMS.summary, note);
    if (!summary.isThere && (await isHeadless(source, ref))) note(key, 'missing', 'is not there');
    if (summary.value?.upload_finish === undefined || (await isSame(key, keys.manifest(ref)))) return;
    const before = await from.head(key);
    const found: Problem[] = [];
    const manifest = await readManifest(source.documents, ref, (key, fault, message) =>
      found.push({ key, fault, message }),
    );
    const isStill = async (storage: Storage) => (await storage.head(key))?.md5 === before?.md5;
    if (manifest !== undefined) {
      // Of another version of the same name no half may be seen.
      await to.delete(key);
      found.push(...(await copyContents(ref, new Map(Object.entries(manifest)))));
      await removeOthers(ref);
    }
    if (await isStill(from)) {
      problems.push(...found);
      if (found.length > 0) return;
      await copy(key);
    }
    if (await isStill(to)) {
      sum.versions++;
      changed.add(keys.project(ref.project)).add(keys.asset(ref));
    } else if ((await from.size(key)) !== undefined) {
      // It was approved meanwhile, or is another one of the same name.
      await copyVersion(ref);
    } else {
      await deleteVersion(copied, ref);
    }
  }

  /** Copies all of a version but its summary; gives what is wrong with the rest. */
  async function copyContents(ref: VersionRef, manifest: StoredManifest): Promise<Problem[]> {
    const found: Problem[] = [];
    onVersion?.(ownFiles(manifest));
    for (const [path, entry] of manifest) {
      if (entry.link !== undefined) continue;
      const key = keys.file({ ...ref, path });
      const fault = await copyFile(key, entry);
      if (fault !== undefined) found.push({ key, ...fault });
      onFile?.(entry.size);
    }
    for await (const key of from.list(keys.version(ref), { recursive: true })) {
      if (isDocument(key) && key !== keys.summary(ref)) await copy(key);
    }
    return found;
  }

  /** Removes what another version of the same name has left in the copy. */
  async function removeOthers(ref: VersionRef): Promise<void> {
    for await (const key of to.list(keys.version(ref), { recursive: true })) {
      if ((await from.size(key)) === undefined) await to.delete(key);
    }
  }

  /** What follows from the versions follows here from those of the copy: in the registry others came and went. */
  async function settle(project: string): Promise<void> {
    let total = 0;
    const mine = (await unlessDamaged(copied.documents.usage(project)))?.value.total;
    const theirs = (await unlessDamaged(source.documents.usage(project)))?.value.total;
    const isUsageOld = isOld(keys.project(project), mine, theirs);
    for await (const asset of listAssets(copied, project)) {
      await settleLatest(asset);
      if (isUsageOld) total += await measureAsset(copied, asset);
    }
    if (!isUsageOld || total === mine) return;
    await copied.documents.writeUsage(project, { total });
    count((await to.size(keys.usage(project))) ?? 0);
  }

  async function settleLatest(asset: AssetRef): Promise<void> {
    const mine = (await unlessDamaged(copied.documents.latest(asset)))?.version;
    const theirs = (await unlessDamaged(source.documents.latest(asset)))?.version;
    if (!isOld(keys.asset(asset), mine, theirs)) return;
    const latest = await findLatest(copied, asset);
    if (latest?.version === mine) return;
    await copied.documents.setLatest(asset, latest);
    count((await to.size(keys.latest(asset))) ?? 0);
  }

  function isOld<T>(of: string, mine: T | undefined, theirs: T | undefined): boolean {
    return changed.has(of) || (theirs !== undefined && theirs !== mine);
  }

  /** Copies a document. */
  async function copy(key: string): Promise<void> {
    signal?.throwIfAborted();
    if (await isSame(key)) return;
    const object = await from.get(key);
    if (object === undefined) return;
    const { size, metadata } = object;
    await to.put(key, await text(object.body), metadata === undefined ? {} : { metadata });
    count(size);
  }

  /**
   * Copies a file of a version, as its manifest has it: what a storage says of itself may be as wrong as its bytes. Gives
   * what is wrong with it, if anything is.
   */
  async function copyFile(key: string, entry: ManifestEntry): Promise<Omit<Problem, 'key'> | undefined> {
    try {
      return (await tryToCopy(key, entry)) ? undefined : { fault: 'missing', message: 'is not there' };
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      return fault;
    }
  }

  async function tryToCopy(key: string, entry: ManifestEntry): Promise<boolean> {
    signal?.throwIfAborted();
    const { size } = entry;
    const digest = entryDigest(entry);
    const there = await to.head(key);
    if (there?.md5 === digest.hex && there.size === size) return true;
    const object = await from.get(key);
    if (object === undefined) return false;
    const { contentType } = object;
    const options = { ...(contentType !== undefined && { contentType }), ...(signal !== undefined && { signal }) };
    const staged = await to.stage(object.body, { digest, size }, key, options);
    await staged.publish(key);
    count(size);
    return true;
  }

  function count(size: number): void {
    sum.objects++;
    sum.bytes += size;
  }

  /** Whether the copy has these objects as they are. */
  async function isSame(...names: string[]): Promise<boolean> {
    for (const key of names) {
      const [mine, theirs] = await Promise.all([from.head(key), to.head(key)]);
      if (mine?.md5 !== theirs?.md5 || mine?.size !== theirs?.size) return false;
    }
    return true;
  }
}
