import { parseJsonIfAny } from '../../src/model/json.ts';
import { keys } from '../../src/model/keys.ts';
import type { ManifestEntry } from '../../src/model/manifest.ts';
import type { VersionRef } from '../../src/model/refs.ts';
import { linksByDirectory } from '../../src/server/resolve-files.ts';
import { parametersFor } from './parameters.ts';
import type { World } from './world.ts';

/** A file of the start of an upload as it was sent: of any form. */
export type Announced = Readonly<Record<string, unknown>>;

/** The start of an upload as it was sent. */
export interface Start {
  readonly ref: VersionRef;
  readonly files: readonly Announced[];
  /** The same request with other files. */
  withFiles(files: readonly Announced[]): Request;
}

/** Reads the start of an upload, of which the request itself can still be sent; nothing for what is none. */
export async function readStart(request: Request): Promise<Start | undefined> {
  const ref = parametersFor(request, 'start');
  if (ref === undefined) return undefined;
  const document = parseJsonIfAny(await request.clone().text());
  if (!isRecord(document) || !Array.isArray(document.files) || !document.files.every(isRecord)) return undefined;
  return {
    ref,
    files: document.files,
    withFiles(files) {
      const body = JSON.stringify({ ...document, files });
      const headers = new Headers(request.headers);
      headers.set('content-length', String(Buffer.byteLength(body)));
      return new Request(request.url, { method: request.method, headers, body, signal: request.signal });
    },
  };
}

/** Changes the manifest of a version, and with it what its folders say of links. */
export async function changeManifest(
  { storage, documents }: Pick<World, 'storage' | 'documents'>,
  ref: VersionRef,
  change: (files: Map<string, ManifestEntry>) => void,
): Promise<void> {
  const before = (await documents.manifest(ref)) ?? new Map();
  const files = new Map(before);
  change(files);
  await documents.writeManifest(ref, files);
  const links = linksByDirectory(files);
  for (const [directory, named] of links) await documents.writeLinks(ref, directory, named);
  for (const directory of linksByDirectory(before).keys()) {
    if (!links.has(directory)) await storage.delete(keys.links(ref, directory));
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
