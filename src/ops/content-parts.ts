import type { Content } from '../cache/contents.ts';
import { entryDigest, entrySource, type Manifest } from '../model/manifest.ts';
import { type FileRef, fileOf, type VersionRef } from '../model/refs.ts';
import type { VersionDocuments } from './version-documents.ts';

/**
 * Contents, in parts of which one at a time fits into memory with all that is known of it. They can be gone through more than
 * once.
 */
export type ContentParts = Iterable<readonly Content[]>;

/**
 * How many files are grouped at once, more or less: with their contents, those of a million take 700 MiB. A checkout of a million, all of
 * which are there, takes 951 MiB with parts of 4,000, and 1,457 with parts of 60,000: what lives for long goes late.
 */
const MAX_PART = 32_768;

/**
 * Groups files of a version, all if none are given, by what they hold and which project's bytes they are. Where there are many, each part has the contents
 * whose digests begin alike, as have the parts of what is remembered of them.
 */
export function groupContents(
  { ref, manifest }: Pick<VersionDocuments, 'ref' | 'manifest'>,
  files?: ReadonlySet<string>,
  maxPart = MAX_PART,
): ContentParts {
  const paths = files === undefined ? Object.keys(manifest) : [...files];
  if (paths.length <= maxPart) return paths.length === 0 ? [] : [group(ref, manifest, paths)];
  const digits = Math.ceil(Math.log(paths.length / maxPart) / Math.log(16));
  const shelves = new Map<string | undefined, string[]>();
  for (const path of paths) {
    const begin = manifest[path]?.md5sum.slice(0, digits);
    const shelf = shelves.get(begin);
    if (shelf === undefined) shelves.set(begin, [path]);
    else shelf.push(path);
  }
  return {
    *[Symbol.iterator]() {
      for (const shelf of shelves.values()) yield group(ref, manifest, shelf);
    },
  };
}

function group(ref: VersionRef, manifest: Manifest, paths: readonly string[]): Content[] {
  const contents = new Map<string, Content & { files: FileRef[] }>();
  for (const path of paths) {
    const entry = manifest[path];
    if (entry === undefined) continue;
    const source = entrySource(ref, path, entry);
    const id = `${source.project}/${entry.md5sum}/${entry.size}`;
    const known = contents.get(id);
    if (known !== undefined) known.files.push(fileOf(ref, path));
    else contents.set(id, { source, digest: entryDigest(entry), size: entry.size, files: [fileOf(ref, path)] });
  }
  return [...contents.values()];
}

/** Gives parts that are made of others when one goes through them, without those that are empty. */
export function mapParts(
  contents: ContentParts,
  change: (part: readonly Content[]) => readonly Content[],
): ContentParts {
  return {
    *[Symbol.iterator]() {
      for (const part of contents) {
        const changed = change(part);
        if (changed.length > 0) yield changed;
      }
    },
  };
}

export function* eachContent(contents: ContentParts): Generator<Content> {
  for (const part of contents) yield* part;
}

export function* eachFile(contents: ContentParts): Generator<FileRef> {
  for (const { files } of eachContent(contents)) yield* files;
}

export function* pathsOf(contents: ContentParts): Generator<string> {
  for (const { path } of eachFile(contents)) yield path;
}
