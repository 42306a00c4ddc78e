import { keys } from '../model/keys.ts';
import type { ManifestEntry, ManifestLink } from '../model/manifest.ts';
import { nameFault } from '../model/names.ts';
import { type FileRef, formatFileRef, formatRef, sameVersion, type VersionRef } from '../model/refs.ts';
import { parentPath } from '../model/tree.ts';
import type { AnnouncedContent, AnnouncedFiles } from './announced-files.ts';
import type { Documents, StoredManifest } from './documents.ts';
import { refuse } from './http.ts';

/** A file of the latest version. */
interface Known {
  readonly ref: FileRef;
  readonly entry: ManifestEntry;
}

/** What an upload comes to: which files are sent, and the manifest of the version. */
export interface ResolvedFiles {
  /** The simple ones, then those that nothing equal was found for. */
  readonly sent: readonly AnnouncedContent[];
  readonly manifest: StoredManifest;
}

/**
 * Turns announced files into a manifest; throws `refused` for a link to what is not there to be linked to.
 *
 * A file to be deduplicated becomes a link where the asset's latest version, or else this upload, has one with the same
 * MD5, to the letter, and size. A link's size and MD5 are its target's, and its ancestor is looked up, never believed.
 */
export async function resolveFiles(
  documents: Documents,
  ref: VersionRef,
  { simple, dedup, links }: AnnouncedFiles,
): Promise<ResolvedFiles> {
  const targets = createTargets(documents, ref);
  const equal = await findEqual(documents, ref, dedup);
  const sent = [...simple];
  const linked = new Map<string, ManifestEntry>();
  for (const { path, link } of links) linked.set(path, linkTo(link, await targets.find(link)));
  const known = new Map(simple.map((file) => [contentKey(file), file]));
  for (const file of dedup) {
    const target = equal.get(contentKey(file));
    const twin = known.get(contentKey(file));
    if (target !== undefined) linked.set(file.path, linkTo(target.ref, target.entry));
    else if (twin !== undefined) linked.set(file.path, linkTo({ ...ref, path: twin.path }, twin));
    else {
      sent.push(file);
      known.set(contentKey(file), file);
    }
  }
  const manifest = new Map<string, ManifestEntry>();
  for (const { path, size, md5sum } of sent) manifest.set(path, { size, md5sum });
  for (const [path, entry] of linked) manifest.set(path, entry);
  return { sent, manifest };
}

/** Gives the links of a manifest by directory, and in it by name. */
export function linksByDirectory(manifest: StoredManifest): Map<string, Map<string, ManifestLink>> {
  const directories = new Map<string, Map<string, ManifestLink>>();
  for (const [path, { link }] of manifest) {
    if (link === undefined) continue;
    const directory = parentPath(path);
    const links = directories.get(directory) ?? new Map<string, ManifestLink>();
    directories.set(directory, links.set(path.slice(path.lastIndexOf('/') + 1), link));
  }
  return directories;
}

function linkTo(target: FileRef, { size, md5sum, link }: ManifestEntry): ManifestEntry {
  const { project, asset, version, path } = target;
  const to = { project, asset, version, path };
  if (link === undefined) return { size, md5sum, link: to };
  const { ancestor = link } = link;
  return {
    size,
    md5sum,
    link: {
      ...to,
      ancestor: { project: ancestor.project, asset: ancestor.asset, version: ancestor.version, path: ancestor.path },
    },
  };
}

/** Looks up what links point to; each version's manifest is read once. */
function createTargets(documents: Documents, ref: VersionRef) {
  const manifests = new Map<string, StoredManifest>();

  async function open(target: VersionRef): Promise<StoredManifest> {
    if (sameVersion(target, ref)) throw refuse('A link cannot point into the version that is being uploaded.');
    const fault = nameFault(target.project) ?? nameFault(target.asset) ?? nameFault(target.version);
    if (fault) throw refuse(`A link is not valid: a part of its target ${fault}.`);
    const summary = (await documents.summary(target))?.value;
    const manifest = await documents.manifest(target);
    if (summary === undefined || manifest === undefined) {
      throw refuse(`A link points to ${formatRef(target)}, which does not exist.`);
    }
    if (summary.upload_finish === undefined) {
      throw refuse(`A link points to ${formatRef(target)}, whose upload is not finished.`);
    }
    if (summary.on_probation) throw refuse(`A link points to ${formatRef(target)}, which is on probation.`);
    return manifest;
  }

  return {
    async find(target: FileRef): Promise<ManifestEntry> {
      const id = JSON.stringify([target.project, target.asset, target.version]);
      const manifest = manifests.get(id) ?? (await open(target));
      manifests.set(id, manifest);
      const entry = manifest.get(target.path);
      if (entry === undefined) throw refuse(`A link points to ${formatFileRef(target)}, which does not exist.`);
      return entry;
    },
  };
}

/**
 * Gives, by content, what the latest version has of some files. A link is left out where the file that it leads to is gone:
 * its version may have been removed, and another one made of its name.
 */
async function findEqual(
  documents: Documents,
  ref: VersionRef,
  files: readonly AnnouncedContent[],
): Promise<Map<string, Known>> {
  if (files.length === 0) return new Map();
  const wanted = new Set(files.map(contentKey));
  const equal = new Map([...(await latestContents(documents, ref))].filter(([key]) => wanted.has(key)));
  const links = [...equal].flatMap(([key, { entry }]) => {
    const source = entry.link?.ancestor ?? entry.link;
    return source === undefined ? [] : [{ key, source, version: keys.version(source) }];
  });
  // Version by version, one manifest at a time: all of them together may be more than the memory holds.
  links.sort((a, b) => (a.version < b.version ? -1 : a.version > b.version ? 1 : 0));
  let opened: { version: string; manifest: StoredManifest | undefined } | undefined;
  for (const { key, source, version } of links) {
    if (opened?.version !== version) opened = { version, manifest: await readOfficial(documents, source) };
    const file = opened.manifest?.get(source.path);
    if (file === undefined || file.link !== undefined || contentKey(file) !== key) equal.delete(key);
  }
  return equal;
}

/** Gives the files of a version that is finished and not on probation. */
async function readOfficial(documents: Documents, ref: VersionRef): Promise<StoredManifest | undefined> {
  const summary = (await documents.summary(ref))?.value;
  if (summary?.upload_finish === undefined || summary.on_probation) return undefined;
  return documents.manifest(ref);
}

/** Gives the latest version's files by content; of several with the same content the last counts. */
async function latestContents(documents: Documents, { project, asset }: VersionRef): Promise<Map<string, Known>> {
  const contents = new Map<string, Known>();
  const latest = await documents.latest({ project, asset });
  if (latest === undefined) return contents;
  const version = { project, asset, version: latest.version };
  for (const [path, entry] of (await documents.manifest(version)) ?? []) {
    contents.set(contentKey(entry), { ref: { ...version, path }, entry });
  }
  return contents;
}

function contentKey({ md5sum, size }: { md5sum: string; size: number }): string {
  return `${md5sum} ${size}`;
}
