import { join } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { INTERNAL } from '../model/keys.ts';
import { placeIn } from '../model/local-path.ts';
import type { FileRef, VersionRef } from '../model/refs.ts';

/** Names the format of our own part of the cache; another one stands beside it, not in it. */
const LAYOUT_VERSION = '1';

/**
 * Every path of the cache, drawn once. Names and paths must have been checked: nothing here does.
 *
 * Shape:
 *
 *     <root>/CACHEDIR.TAG
 *     <root>/bucket/<project>/<asset>/<version>/<path>      what clones point to; the R and Python clients' layout
 *     <root>/bucket/<project>/<asset>/<version>/..manifest  for those clients; we read our own copy
 *     <root>/status/<project>/<asset>/<version>/COMPLETE    all files are there, says one of the clients
 *     <root>/.gypsum-client/1/registry.json                 the registry that the cache belongs to
 *     <root>/.gypsum-client/1/blobs/<project>/md5/<2 hex>/<rest>
 *     <root>/.gypsum-client/1/blobs/<project>/md5-executable/<2 hex>/<rest>  the same content as a program
 *     <root>/.gypsum-client/1/verified/<project>/<2 hex>    fingerprints of what was verified, see print-table.ts
 *     <root>/.gypsum-client/1/versions/<project>/<asset>/<version>/..manifest, ..summary  of immutable versions
 *     <root>/.gypsum-client/1/versions/<project>/<asset>/<version>/..tree  what its manifest and its tree record say, to be read at once
 *     <root>/.gypsum-client/1/incoming/                     bytes not yet verified
 *     <root>/.gypsum-client/1/incoming/<process>.…[.<content>]  of a process, see owned-name.ts
 *     <root>/.gypsum-client/1/incoming/partial.<content>    of a download that broke off: whoever goes on may take it
 *     <root>/.gypsum-client/1/locks/<project>/<asset>/<version>/
 *     <root>/.gypsum-client/1/clones/<id>.json              receipts
 *     <root>/.gypsum-client/1/clone-files/<id>.json         how the files of a clone looked that are no symlinks
 *     <root>/.gypsum-client/1/digests/<2 hex>.json          what people's own files held when they were digested, by inode
 *     <root>/.gypsum-client/1/damaged/<id>/                 what was moved aside
 *     <root>/.gypsum-client/1/trash/<time>-<id>/<path>      what was replaced in a clone on request, until the cache is pruned
 */
export function createLayout(root: string) {
  const own = join(root, '.gypsum-client', LAYOUT_VERSION);
  const bucket = join(root, 'bucket');
  const versions = join(own, 'versions');
  const status = join(root, 'status');
  const inVersion = (folder: string, { project, asset, version }: VersionRef) =>
    placeIn(folder, `${project}/${asset}/${version}`);
  return {
    root,
    tag: join(root, 'CACHEDIR.TAG'),
    bucket,
    versionFolder: (ref: VersionRef) => inVersion(bucket, ref),
    file: (ref: FileRef) => placeIn(inVersion(bucket, ref), ref.path),
    document: (ref: VersionRef, name: RecordName) => join(inVersion(bucket, ref), INTERNAL[name]),
    status,
    complete: (ref: VersionRef) => join(inVersion(status, ref), 'COMPLETE'),
    registry: join(own, 'registry.json'),
    blob: (project: string, { algorithm, hex }: Digest) =>
      join(own, 'blobs', project, algorithm, hex.slice(0, 2), hex.slice(2)),
    executable: (project: string, { algorithm, hex }: Digest) =>
      join(own, 'blobs', project, `${algorithm}-executable`, hex.slice(0, 2), hex.slice(2)),
    blobs: join(own, 'blobs'),
    verified: (project: string, shard: string) => join(own, 'verified', project, shard),
    versions,
    records: (ref: VersionRef) => inVersion(versions, ref),
    record: (ref: VersionRef, name: RecordName) => join(inVersion(versions, ref), INTERNAL[name]),
    incomings: join(own, 'incoming'),
    incoming: (name: string) => join(own, 'incoming', name),
    partial: (content: string) => join(own, 'incoming', `partial.${content}`),
    keptTree: (ref: VersionRef) => join(inVersion(versions, ref), '..tree'),
    locks: join(own, 'locks'),
    lock: (ref: VersionRef) => inVersion(join(own, 'locks'), ref),
    clones: join(own, 'clones'),
    receipt: (id: string) => join(own, 'clones', `${id}.json`),
    clonesFiles: join(own, 'clone-files'),
    cloneFiles: (id: string) => join(own, 'clone-files', `${id}.json`),
    digests: (shard: string) => join(own, 'digests', `${shard}.json`),
    damages: join(own, 'damaged'),
    damaged: (id: string, name: string) => join(own, 'damaged', id, name),
    trash: join(own, 'trash'),
    trashed: (id: string) => join(own, 'trash', id),
  };
}

export type Layout = ReturnType<typeof createLayout>;

/** What is remembered of a version besides its files. */
export type RecordName = 'manifest' | 'summary';
