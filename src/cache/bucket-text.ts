import { isAbsolute, sep } from 'node:path';

/** A way to read the text of a symlink: as that of a file or folder of a version, in some cache. */
export interface BucketText {
  /** The folder of the cache. */
  readonly root: string;
  /** The names below its bucket: project, asset, version, and a path if it is not the whole version. */
  readonly parts: readonly string[];
}

/** What `layout.file` gives, read backwards: the text of a symlink as it would be in any cache, in each possible way. */
export function parseBucketText(text: string): BucketText[] {
  if (!isAbsolute(text)) return [];
  const names = text.split(sep);
  const readings: BucketText[] = [];
  for (let at = names.indexOf('bucket'); at !== -1; at = names.indexOf('bucket', at + 1)) {
    const parts = names.slice(at + 1);
    if (parts.length >= 3 && parts.every(isPlain)) readings.push({ root: names.slice(0, at).join(sep) || sep, parts });
  }
  return readings;
}

function isPlain(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..';
}
