import { text } from 'node:stream/consumers';
import { GypsumError, isGypsumError } from '../errors.ts';
import { parseMd5 } from '../model/digest.ts';
import { keys } from '../model/keys.ts';
import type { ManifestEntry } from '../model/manifest.ts';
import type { AssetRef, VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { createDocuments, isDocument, type StoredManifest } from './documents.ts';
import type { Storage } from './storage.ts';
import { findLatest, listAssets, listProjects, listVersions, measureAsset, ownFiles } from './survey.ts';
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
}

export interface BackupOptions {
  /** Removes what the registry does not have any more. @default false */
  prune?: boolean;
  /** Before a version's files are copied. Units: bytes */
  onVersion?: (of: { files: number; bytes: number }) => void;
  /** A file of a version has been copied, or is there already. Units: bytes */
  onFile?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Copies what is new from one storage to another; every byte is verified on the way.
 *
 * It may run beside the registry and be interrupted: the files of a version come before its summary, so that the copy
 * never has a version that is not whole. Uploads that are in progress are left out, and so are locks; which version is
 * the latest, and how much is stored, is said of what the copy has.
 */
export async function backupRegistry(
  from: Storage,
  to: Storage,
  { prune = false, onVersion, onFile, signal }: BackupOptions = {},
): Promise<BackedUp> {
  const source = { storage: from, documents: createDocuments(from) };
  const copied = { storage: to, documents: createDocuments(to) };
  const sum = { versions: 0, objects: 0, bytes: 0, gone: 0 };
  /** Projects and assets whose versions are not those that they had. */
  const changed = new Set<string>();
  for await (const project of listProjects(source)) {
    for (const key of [keys.quota(project), keys.usage(project), keys.permissions(project)]) await copy(key);
    for await (const asset of listAssets(source, project)) {
      for await (const version of listVersions(source, asset)) await copyVersion(version);
    }
  }
  for await (const key of from.list(keys.logs)) await copy(key);
  await countGone();
  for await (const project of listProjects(copied)) await settle(project);
  return sum;

  async function copyVersion(ref: VersionRef): Promise<void> {
    const summary = keys.summary(ref);
    const before = await from.head(summary);
    const finished = (await source.documents.summary(ref))?.value.upload_finish !== undefined;
    if (!finished || (await isSame(summary, keys.manifest(ref)))) return;
    const manifest = await source.documents.manifest(ref);
    if (manifest === undefined) return;
    const isStill = async (storage: Storage) => (await storage.head(summary))?.md5 === before?.md5;
    // Of another version of the same name no half may be seen.
    await to.delete(summary);
    try {
      await copyContents(ref, manifest);
      await removeOthers(ref);
    } catch (error) {
      if (!isGypsumError(error, 'wrong-content') || (await isStill(from))) throw error;
    }
    if (await isStill(from)) await copy(summary);
    if (await isStill(to)) {
      sum.versions++;
      changed.add(keys.project(ref.project)).add(keys.asset(ref));
    } else if ((await from.size(summary)) !== undefined) {
      // It was approved meanwhile, or is another one of the same name.
      await copyVersion(ref);
    } else {
      await deleteVersion(copied, ref);
    }
  }

  async function copyContents(ref: VersionRef, manifest: StoredManifest): Promise<void> {
    onVersion?.(ownFiles(manifest));
    for (const [path, entry] of manifest) {
      if (entry.link !== undefined) continue;
      await copyFile(keys.file({ ...ref, path }), entry);
      onFile?.(entry.size);
    }
    for await (const key of from.list(keys.version(ref), { recursive: true })) {
      if (isDocument(key) && key !== keys.summary(ref)) await copy(key);
    }
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
    const mine = (await copied.documents.usage(project))?.value.total;
    const theirs = (await source.documents.usage(project))?.value.total;
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
    const mine = (await copied.documents.latest(asset))?.version;
    const theirs = (await source.documents.latest(asset))?.version;
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

  /** Copies a file of a version, as its manifest has it: what a storage says of itself may be as wrong as its bytes. */
  async function copyFile(key: string, { size, md5sum }: ManifestEntry): Promise<void> {
    signal?.throwIfAborted();
    const digest = parseMd5(md5sum);
    if (digest === undefined) throw new Error(`the manifest has an MD5 that is none: ${key}`);
    const there = await to.head(key);
    if (there?.md5 === digest.hex && there.size === size) return;
    const object = await from.get(key);
    if (object === undefined) {
      throw new GypsumError('wrong-content', `The object "${showText(key)}" is missing.`, { details: { key } });
    }
    const { contentType } = object;
    const options = { ...(contentType !== undefined && { contentType }), ...(signal !== undefined && { signal }) };
    const staged = await to.stage(object.body, { digest, size }, key, options);
    await staged.publish(key);
    count(size);
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

  /** A version goes as a whole, and never one that is another's now: the next backup copies that. */
  async function countGone(): Promise<void> {
    for await (const project of listProjects(copied)) {
      const rest: string[] = [];
      let isLeft = (await from.size(keys.permissions(project))) !== undefined;
      for await (const asset of listAssets(copied, project)) {
        for await (const version of listVersions(copied, asset)) {
          if ((await from.size(keys.summary(version))) !== undefined) isLeft = true;
          else await dropVersion(version);
        }
        rest.push(keys.latest(asset));
      }
      rest.push(keys.usage(project), keys.quota(project), keys.permissions(project));
      if (!isLeft) for (const key of rest) await drop(key);
    }
    for await (const key of to.list(keys.logs)) if ((await from.size(key)) === undefined) await drop(key);
  }

  async function dropVersion(ref: VersionRef): Promise<void> {
    // The summary goes before the files, so that nobody sees half a version.
    await drop(keys.summary(ref));
    for await (const key of to.list(keys.version(ref), { recursive: true })) {
      if (key !== keys.summary(ref)) await drop(key);
    }
    if (prune) changed.add(keys.project(ref.project)).add(keys.asset(ref));
  }

  async function drop(key: string): Promise<void> {
    signal?.throwIfAborted();
    if ((await to.size(key)) === undefined) return;
    sum.gone++;
    if (prune) await to.delete(key);
  }
}
