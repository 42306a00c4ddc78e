import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { CloneMode, VersionRef } from '../../src/index.ts';
import { entriesBelow } from './entries-below.ts';
import { createRig, type Rig } from './rig.ts';

export const V1 = { project: 'p', asset: 'a', version: 'v1' };
export const V2 = { ...V1, version: 'v2' };
export const V3 = { ...V1, version: 'v3' };

/** What changes between the versions: `same` stays, `changed` and `to-folder` change, `gone` goes, `new` comes. */
export const VERSIONS = {
  'p/a/v1': {
    same: 'same',
    changed: 'one',
    'old/gone': 'gone',
    'sub/x': 'x',
    'sub/y': 'y',
    'to-folder': 'f',
    'to-file/in': 'i',
  },
  'p/a/v2': {
    same: 'same',
    changed: 'two',
    'new/come': 'new',
    'sub/x': 'x',
    'sub/y': 'Y',
    'to-folder/in': 'f',
    'to-file': 'i',
  },
  'p/a/v3': { same: 'same', changed: 'three', 'sub/x': 'x', 'sub/y': 'Y', only: 'three' },
};

export interface CloneRig extends Rig {
  readonly clone: string;
  /** Gives the path of a file in the cache. */
  cached(path: string, ref?: VersionRef): string;
  /** What stands in the clone: `-> v1:/path` for links into the cache, the content of files, `folder/`. */
  look(): Record<string, string>;
}

/** A rig with a clone of the first version. */
export async function createCloneRig(mode: CloneMode = 'symlink', download = true): Promise<CloneRig> {
  const rig = await createRig({ versions: VERSIONS });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, { mode, download });
  rig.registry.resetCalls();
  const bucket = join(rig.cacheDir, 'bucket/p/a');
  return {
    ...rig,
    clone,
    cached: (path, { version } = V1) => join(bucket, version, path),
    look: () => lookAt(clone, bucket),
  };
}

function lookAt(root: string, bucket: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of entriesBelow(root)) {
    const at = join(entry.parentPath, entry.name);
    const path = at.slice(root.length + 1);
    if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(at).replace(`${bucket}/`, '').replace('/', ':/')}`;
    else if (entry.isFile()) found[path] = readFileSync(at, 'utf8');
    else if (readdirSync(at).length === 0) found[path] = 'folder/';
  }
  return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a clone of a version looks like. */
export function linksTo(version: 'v1' | 'v2' | 'v3'): Record<string, string> {
  const paths = Object.keys(VERSIONS[`p/a/${version}`]).sort();
  return Object.fromEntries(paths.map((path) => [path, `-> ${version}:/${path}`]));
}

/** Expects that the cache holds what it must, and nobody can write to it. */
export function expectSoundCache({ cached }: CloneRig): void {
  for (const [name, files] of Object.entries(VERSIONS)) {
    for (const [path, content] of Object.entries(files)) {
      const at = cached(path, { ...V1, version: name.slice(4) });
      const stats = lstatSync(at, { throwIfNoEntry: false });
      if (stats === undefined) continue;
      expect([readFileSync(at, 'utf8'), stats.mode & 0o777], at).toEqual([content, 0o444]);
    }
  }
}
