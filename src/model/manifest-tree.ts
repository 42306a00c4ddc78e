import { entryDigest, type Manifest, manifestPaths } from './manifest.ts';
import type { KnownFile } from './tree.ts';

/** Gives the files of a manifest as a tree, without the folders that their paths imply. */
export function manifestTree(manifest: Manifest): KnownFile[] {
  const files: KnownFile[] = [];
  for (const path of manifestPaths(manifest)) {
    const entry = manifest[path];
    if (entry !== undefined) files.push({ type: 'file', path, size: entry.size, digest: entryDigest(entry) });
  }
  return files;
}
