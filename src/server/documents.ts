import { text } from 'node:stream/consumers';
import { GypsumError } from '../errors.ts';
import { INTERNAL, keys } from '../model/keys.ts';
import type { ManifestEntry, ManifestLink } from '../model/manifest.ts';
import type { AssetRef, VersionRef } from '../model/refs.ts';
import type { WireSummary } from '../model/summary.ts';
import { showText } from '../model/text.ts';
import type { Permissions } from './permissions.ts';
import type { Quota } from './quota.ts';
import type { Metadata, Storage } from './storage.ts';

/** Files by path, in the order in which they were announced. */
export type StoredManifest = ReadonlyMap<string, ManifestEntry>;

export interface Usage {
  /** Units: bytes */
  readonly total: number;
}

/** `..LOCK`: the upload that is in progress in a project. */
export interface Lock {
  /** Base64 of the SHA-256 of the session's token. */
  readonly session_hash: string;
  readonly asset: string;
  readonly version: string;
}

export type LogEntry =
  | { type: 'add-version' | 'delete-version'; project: string; asset: string; version: string; latest: boolean }
  | { type: 'delete-asset'; project: string; asset: string }
  | { type: 'delete-project'; project: string };

/** A document with what is kept beside it. */
export interface Document<T> {
  readonly value: T;
  readonly modified: Date;
  readonly metadata: Metadata;
}

/**
 * The JSON that the registry keeps of itself. Only the registry writes it, so it is read back as what was written; what
 * is no JSON any more is `wrong-content`.
 */
export type Documents = ReturnType<typeof createDocuments>;

export function createDocuments(storage: Storage) {
  async function load<T>(key: string): Promise<Document<T> | undefined> {
    const object = await storage.get(key);
    if (object === undefined) return undefined;
    const value = parse(key, await text(object.body)) as T;
    return { value, modified: object.modified, metadata: object.metadata ?? {} };
  }

  async function read<T>(key: string): Promise<T | undefined> {
    return (await load<T>(key))?.value;
  }

  async function write(key: string, value: unknown, metadata?: Metadata): Promise<void> {
    await storage.put(key, JSON.stringify(value), metadata === undefined ? {} : { metadata });
  }

  return {
    /** Reads any of them by its key. */
    read: (key: string) => read<unknown>(key),

    permissions: (project: string) => read<Permissions>(keys.permissions(project)),
    writePermissions: (project: string, value: Permissions) => write(keys.permissions(project), value),

    quota: (project: string) => read<Quota>(keys.quota(project)),
    writeQuota: (project: string, value: Quota) => write(keys.quota(project), value),

    usage: (project: string) => load<Usage>(keys.usage(project)),
    writeUsage: (project: string, value: Usage, metadata?: Metadata) => write(keys.usage(project), value, metadata),

    lock: (project: string) => load<Lock>(keys.lock(project)),
    /** False where the project is locked already. */
    takeLock: (project: string, lock: Lock, metadata: Metadata) =>
      storage.put(keys.lock(project), JSON.stringify(lock), { metadata, ifAbsent: true }),
    releaseLock: (project: string) => storage.delete(keys.lock(project)),

    latest: (ref: AssetRef) => read<{ version: string }>(keys.latest(ref)),
    /** Without a version the asset has no latest one. */
    setLatest: (ref: AssetRef, latest: Pick<VersionRef, 'version'> | undefined) =>
      latest === undefined ? storage.delete(keys.latest(ref)) : write(keys.latest(ref), { version: latest.version }),

    summary: (ref: VersionRef) => load<WireSummary>(keys.summary(ref)),
    writeSummary: (ref: VersionRef, value: WireSummary, metadata: Metadata) =>
      write(keys.summary(ref), value, metadata),

    async manifest(ref: VersionRef): Promise<StoredManifest | undefined> {
      const files = await read<Record<string, ManifestEntry>>(keys.manifest(ref));
      return files && new Map(Object.entries(files));
    },
    writeManifest: (ref: VersionRef, manifest: StoredManifest) => write(keys.manifest(ref), toRecord(manifest)),

    writeLinks: (ref: VersionRef, directory: string, links: ReadonlyMap<string, ManifestLink>) =>
      write(keys.links(ref, directory), toRecord(links)),

    /** What a session logs at a time is the same entry however often it is written. */
    writeLog: (at: string, session: string, entry: LogEntry) => write(keys.log(at, sixDigits(session)), entry),
  };
}

const LOST_DOCUMENT = 'Bring it back from a backup; "gypsum registry verify" finds what else is damaged.';

/** No backup has locks, and nobody can go on with what it was of. */
const LOST_LOCK =
  'Remove that file, and with "gypsum version remove" the version that "gypsum registry verify" calls unfinished then.';

function parse(key: string, content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (cause) {
    throw new GypsumError('wrong-content', `The object "${showText(key)}" is damaged: it is not JSON.`, {
      hint: key.endsWith('/..LOCK') ? LOST_LOCK : LOST_DOCUMENT,
      details: { key, status: 500 },
      cause,
    });
  }
}

function sixDigits(session: string): string {
  return String(Buffer.from(session, 'base64').readUInt32BE() % 1_000_000).padStart(6, '0');
}

/** Whether an object is the registry's own JSON and not a user's file; the lock has never had a content type. */
export function isDocument(key: string): boolean {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return name !== INTERNAL.lock && (name.startsWith('..') || key.startsWith(keys.logs));
}

/** Without a prototype, so that a file called `__proto__` is one like any other. */
function toRecord<T>(entries: ReadonlyMap<string, T>): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [key, value] of entries) record[key] = value;
  return record;
}
