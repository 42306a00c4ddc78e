import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { keys } from '../model/keys.ts';
import { entryDigest, type Manifest, type ManifestEntry, type ManifestLink } from '../model/manifest.ts';
import { type AssetRef, formatFileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { type Expected, verifyStream } from '../verify-stream.ts';
import { createDocuments, type Documents } from './documents.ts';
import { faultOf, type Note, type Problem } from './problem.ts';
import { linksByDirectory } from './resolve-files.ts';
import type { Storage } from './storage.ts';
import { findLatest, listAssets, listProjects, listVersions, measureAsset, ownFiles } from './survey.ts';
import {
  checkDocument,
  checkLevel,
  checkProjectDocuments,
  FORMS,
  isHeadless,
  readManifest,
  unlessDamaged,
} from './verify-documents.ts';

export interface Verified {
  readonly versions: number;
  readonly files: number;
  /** Units: bytes */
  readonly bytes: number;
  /** Versions whose upload is in progress, or was never ended. */
  readonly unfinished: readonly VersionRef[];
}

export interface VerifyOptions {
  onProblem: (problem: Problem) => void;
  /** Before a version's files are read. Units: bytes */
  onVersion?: (of: { files: number; bytes: number }) => void;
  /** Units: bytes */
  onFile?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Reads every object of a storage and compares it with its manifest; tells each problem as it finds it.
 *
 * It only reads, and may run beside the registry: what it finds wrong with a version that has gone meanwhile is not told.
 */
export async function verifyRegistry(
  storage: Storage,
  { onProblem, onVersion, onFile, signal }: VerifyOptions,
): Promise<Verified> {
  const documents = createDocuments(storage);
  const needs = { storage, documents };
  const sum = { versions: 0, files: 0, bytes: 0 };
  const unfinished: VersionRef[] = [];
  const tell: Note = (key, fault, message) => onProblem({ key, fault, message });
  const isThere = async (key: string) => (await storage.size(key)) !== undefined;
  const isLocked = (project: string) => isThere(keys.lock(project));

  for await (const project of listProjects(needs)) await verifyProject(project);
  for await (const key of storage.list(keys.logs)) await checkDocument(documents, key, FORMS.log, tell);
  await checkLevel(storage, 'root', '', tell);
  return { ...sum, unfinished };

  async function verifyProject(project: string): Promise<void> {
    await checkProjectDocuments(needs, project, tell);
    const used = await usageOf(project);
    let total = 0;
    let isSound = true;
    for await (const asset of listAssets(needs, project)) {
      if (await verifyAsset(asset)) total += await measureAsset(needs, asset);
      else isSound = false;
    }
    await checkLevel(storage, 'project', keys.project(project), tell);
    // What follows from versions that are damaged cannot be known.
    if (!isSound || used === undefined || used === total) return;
    if ((await usageOf(project)) !== used || (await isLocked(project))) return;
    tell(keys.usage(project), 'stale-document', `says ${used} bytes, and the versions have ${total}`);
  }

  async function usageOf(project: string): Promise<number | undefined> {
    return (await unlessDamaged(documents.usage(project)))?.value?.total;
  }

  /** Gives whether every version can be read. */
  async function verifyAsset(asset: AssetRef): Promise<boolean> {
    let isSound = true;
    for await (const version of listVersions(needs, asset)) {
      if (!(await verifyVersion(version))) isSound = false;
    }
    const latest = await checkDocument(documents, keys.latest(asset), FORMS.latest, tell);
    if (isSound && (latest.value !== undefined || !latest.isThere)) await verifyLatest(asset, latest.value?.version);
    await checkLevel(storage, 'asset', keys.asset(asset), tell);
    return isSound;
  }

  /** Gives whether it can be read. */
  async function verifyVersion(ref: VersionRef): Promise<boolean> {
    signal?.throwIfAborted();
    const summary = await checkDocument(documents, keys.summary(ref), FORMS.summary, tell);
    if (!summary.isThere && (await isHeadless(needs, ref))) {
      tell(keys.summary(ref), 'missing', 'is not there');
      return false;
    }
    if (summary.value?.upload_finish === undefined) {
      const isBroken = summary.isThere && summary.value === undefined;
      if (!isBroken) unfinished.push(ref);
      return !isBroken;
    }
    const found: Problem[] = [];
    const note: Note = (key, fault, message) => found.push({ key, fault, message });
    const manifest = await readManifest(documents, ref, note);
    if (manifest !== undefined) await verifyFiles(ref, manifest, note);
    const after = await checkDocument(documents, keys.summary(ref), FORMS.summary, () => {});
    const isSame = isDeepStrictEqual(after, summary);
    if (isSame) for (const problem of found) onProblem(problem);
    return manifest !== undefined || !isSame;
  }

  async function verifyFiles(ref: VersionRef, manifest: Manifest, note: Note): Promise<void> {
    const linkFault = createLinkCheck(documents);
    sum.versions++;
    onVersion?.(ownFiles(new Map(Object.entries(manifest))));
    for (const [path, entry] of Object.entries(manifest)) {
      const key = keys.file({ ...ref, path });
      if (entry.link !== undefined) {
        const reason = await linkFault(entry, entry.link);
        if (reason !== undefined) note(key, 'dangling-link', reason);
        continue;
      }
      const fault = await verifyFile(storage, key, { digest: entryDigest(entry), size: entry.size }, signal);
      if (fault !== undefined) note(key, fault.fault, fault.message);
      sum.files++;
      sum.bytes += entry.size;
      onFile?.(entry.size);
    }
    await verifyRest(ref, manifest, note);
  }

  /** What else is in a version's folder: the links by directory, and nothing more. */
  async function verifyRest(ref: VersionRef, manifest: Manifest, note: Note): Promise<void> {
    const links = new Map<string, unknown>();
    for (const [directory, names] of linksByDirectory(new Map(Object.entries(manifest)))) {
      links.set(keys.links(ref, directory), Object.fromEntries(names));
    }
    const own = new Set([keys.manifest(ref), keys.summary(ref)]);
    const prefix = keys.version(ref);
    for await (const key of storage.list(prefix, { recursive: true })) {
      const expected = links.get(key);
      const path = key.slice(prefix.length);
      if (expected !== undefined) {
        links.delete(key);
        if (!isDeepStrictEqual(await unlessDamaged(documents.read(key)), expected)) {
          note(key, 'stale-document', 'does not have the links of the manifest');
        }
      } else if (!own.has(key) && !(Object.hasOwn(manifest, path) && manifest[path]?.link === undefined)) {
        note(key, 'foreign', 'is not in the manifest');
      }
    }
    for (const key of links.keys()) note(key, 'missing', 'is not there');
  }

  async function verifyLatest(ref: AssetRef, said: string | undefined): Promise<void> {
    const found = (await findLatest(needs, ref))?.version;
    if (said === found || (await isLocked(ref.project))) return;
    if ((await documents.latest(ref))?.version !== said) return;
    tell(keys.latest(ref), 'stale-document', `says ${said ?? 'nothing'}, and the latest is ${found ?? 'none'}`);
  }
}

async function verifyFile(
  storage: Storage,
  key: string,
  expected: Expected,
  signal: AbortSignal | undefined,
): Promise<Omit<Problem, 'key'> | undefined> {
  const object = await storage.get(key);
  if (object === undefined) return { fault: 'missing', message: 'is not there' };
  const drain = async (content: AsyncIterable<Uint8Array>) => {
    for await (const _ of content) signal?.throwIfAborted();
  };
  try {
    await pipeline(object.body, verifyStream(expected, key), drain);
    return undefined;
  } catch (error) {
    const found = faultOf(error);
    if (found === undefined) throw error;
    return found;
  }
}

/** Says what is wrong with links; the manifest of each version that they lead to is read once. */
function createLinkCheck(documents: Documents) {
  const opened = new Map<string, Promise<Manifest | undefined>>();
  const open = async (ref: VersionRef) => {
    const summary = (await unlessDamaged(documents.summary(ref)))?.value;
    return summary?.upload_finish === undefined ? undefined : readManifest(documents, ref, () => {});
  };
  return async (entry: ManifestEntry, link: ManifestLink): Promise<string | undefined> => {
    for (const target of [link, ...(link.ancestor === undefined ? [] : [link.ancestor])]) {
      const id = formatRef(target);
      const manifest = opened.get(id) ?? open(target);
      opened.set(id, manifest);
      const files = await manifest;
      const found = files && Object.hasOwn(files, target.path) ? files[target.path] : undefined;
      const where = formatFileRef(target);
      if (found === undefined) return `links to ${where}, which is not there`;
      if (found.size !== entry.size || found.md5sum !== entry.md5sum) {
        return `links to ${where}, which is another file`;
      }
      if (target === link.ancestor && found.link !== undefined) return `has the ancestor ${where}, which is a link`;
    }
    return undefined;
  };
}
