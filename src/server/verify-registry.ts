import { pipeline } from 'node:stream/promises';
import { isDeepStrictEqual } from 'node:util';
import { isGypsumError } from '../errors.ts';
import { keys } from '../model/keys.ts';
import { checkManifest, entryDigest, type Manifest, type ManifestEntry, type ManifestLink } from '../model/manifest.ts';
import { type AssetRef, formatFileRef, formatRef, type VersionRef } from '../model/refs.ts';
import { type Expected, verifyStream } from '../verify-stream.ts';
import { createDocuments, type Documents, type StoredManifest } from './documents.ts';
import { linksByDirectory } from './resolve-files.ts';
import type { Storage } from './storage.ts';
import { findLatest, listAssets, listProjects, listVersions, measureAsset, ownFiles } from './survey.ts';

/** What is wrong with an object. */
export type Fault =
  /** A file or document is not there. */
  | 'missing'
  /** A file has not the size or the digest that the manifest says. */
  | 'wrong-content'
  /** A manifest that no version can have. */
  | 'invalid-manifest'
  /** A link to a file that is not there, or is not the same. */
  | 'dangling-link'
  /** `..links`, `..latest` or `..usage` does not say what follows from the versions. */
  | 'stale-document'
  /** An object of which the manifest knows nothing. */
  | 'foreign';

export interface Problem {
  readonly key: string;
  readonly fault: Fault;
  readonly message: string;
}

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
  const tell = (key: string, fault: Fault, message: string) => onProblem({ key, fault, message });

  for await (const project of listProjects(needs)) {
    const used = (await documents.usage(project))?.value.total;
    let total = 0;
    for await (const asset of listAssets(needs, project)) {
      for await (const version of listVersions(needs, asset)) await verifyVersion(version);
      await verifyLatest(asset);
      total += await measureAsset(needs, asset);
    }
    const now = await documents.usage(project);
    if (
      now !== undefined &&
      now.value.total === used &&
      used !== total &&
      (await documents.lock(project)) === undefined
    ) {
      tell(keys.usage(project), 'stale-document', `says ${used} bytes, and the versions have ${total}`);
    }
  }
  return { ...sum, unfinished };

  async function verifyVersion(ref: VersionRef): Promise<void> {
    signal?.throwIfAborted();
    const summary = (await documents.summary(ref))?.value;
    if (summary?.upload_finish === undefined) {
      unfinished.push(ref);
      return;
    }
    const found: Problem[] = [];
    const note = (key: string, fault: Fault, message: string) => found.push({ key, fault, message });
    const manifest = await readManifest(documents, ref, note);
    const linkFault = createLinkCheck(documents);
    if (manifest !== undefined) {
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
    const after = (await documents.summary(ref))?.value;
    if (found.length > 0 && isDeepStrictEqual(after, summary)) for (const problem of found) onProblem(problem);
  }

  /** What else is in a version's folder: the links by directory, and nothing more. */
  async function verifyRest(
    ref: VersionRef,
    manifest: Manifest,
    note: (key: string, fault: Fault, message: string) => void,
  ): Promise<void> {
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
        if (!isDeepStrictEqual(await documents.read(key), expected)) {
          note(key, 'stale-document', 'does not have the links of the manifest');
        }
      } else if (!own.has(key) && !(Object.hasOwn(manifest, path) && manifest[path]?.link === undefined)) {
        note(key, 'foreign', 'is not in the manifest');
      }
    }
    for (const key of links.keys()) note(key, 'missing', 'is not there');
  }

  async function verifyLatest(ref: AssetRef): Promise<void> {
    const said = (await documents.latest(ref))?.version;
    const found = (await findLatest(needs, ref))?.version;
    if (said === found || (await documents.lock(ref.project)) !== undefined) return;
    if ((await documents.latest(ref))?.version !== said) return;
    tell(keys.latest(ref), 'stale-document', `says ${said ?? 'nothing'}, and the latest is ${found ?? 'none'}`);
  }
}

async function readManifest(
  documents: Documents,
  ref: VersionRef,
  note: (key: string, fault: Fault, message: string) => void,
): Promise<Manifest | undefined> {
  const key = keys.manifest(ref);
  try {
    const manifest = await documents.read(key);
    if (manifest !== undefined) return checkManifest(manifest, ref);
    note(key, 'missing', 'is not there');
  } catch (error) {
    if (!isGypsumError(error) && !(error instanceof SyntaxError)) throw error;
    note(key, 'invalid-manifest', error.message);
  }
  return undefined;
}

async function verifyFile(
  storage: Storage,
  key: string,
  expected: Expected,
  signal: AbortSignal | undefined,
): Promise<{ fault: Fault; message: string } | undefined> {
  const object = await storage.get(key);
  if (object === undefined) return { fault: 'missing', message: 'is not there' };
  const drain = async (content: AsyncIterable<Uint8Array>) => {
    for await (const _ of content) signal?.throwIfAborted();
  };
  try {
    await pipeline(object.body, verifyStream(expected, key), drain);
    return undefined;
  } catch (error) {
    if (!isGypsumError(error, 'wrong-content')) throw error;
    return { fault: 'wrong-content', message: error.message };
  }
}

/** Says what is wrong with links; the manifest of each version that they lead to is read once. */
function createLinkCheck(documents: Documents) {
  const opened = new Map<string, Promise<StoredManifest | undefined>>();
  const open = async (ref: VersionRef) => {
    const summary = (await documents.summary(ref))?.value;
    return summary?.upload_finish === undefined ? undefined : documents.manifest(ref);
  };
  return async (entry: ManifestEntry, link: ManifestLink): Promise<string | undefined> => {
    for (const target of [link, ...(link.ancestor === undefined ? [] : [link.ancestor])]) {
      const id = formatRef(target);
      const manifest = opened.get(id) ?? open(target);
      opened.set(id, manifest);
      const found = (await manifest)?.get(target.path);
      const where = formatFileRef(target);
      if (found === undefined) return `links to ${where}, which is not there`;
      if (found.size !== entry.size || found.md5sum.toLowerCase() !== entry.md5sum) {
        return `links to ${where}, which is another file`;
      }
      if (target === link.ancestor && found.link !== undefined) return `has the ancestor ${where}, which is a link`;
    }
    return undefined;
  };
}
