import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { Manifest, ManifestEntry } from '../model/manifest.ts';
import { nameFault } from '../model/names.ts';
import type { FileRef, VersionRef } from '../model/refs.ts';
import { isImmutable } from '../model/summary.ts';
import { isBelow } from '../model/tree.ts';
import { loadVersion } from './version-documents.ts';

/** One file that a link into the cache stands for. */
export interface LinkTarget {
  /** The path below the link: empty for a link to a file. */
  readonly below: string;
  readonly file: FileRef;
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
}

/** Knows which files of versions the names below the bucket mean; each version's documents are looked up once. */
export interface LinkTargets {
  /** Gives the file, or the files of the folder, that may be linked to: none if the version could still change. */
  find(parts: readonly string[]): Promise<readonly LinkTarget[]>;
  /** Gives the same also for versions that could still change; nothing if the parts lead to no version's folder. */
  paths(parts: readonly string[]): Promise<readonly LinkTarget[] | undefined>;
}

interface Known {
  readonly manifest: Manifest;
  readonly immutable: boolean;
}

export function createLinkTargets(ctx: Context, options: CallOptions): LinkTargets {
  const versions = new Map<string, Known | undefined>();

  const look = async (ref: VersionRef): Promise<Known | undefined> => {
    const id = `${ref.project}/${ref.asset}/${ref.version}`;
    if (versions.has(id)) return versions.get(id);
    let known: Known | undefined;
    try {
      const { manifest, summary } = await loadVersion(ctx, ref, options);
      known = { manifest, immutable: isImmutable(summary) };
    } catch (error) {
      // What is no version of the registry, or none yet, cannot be linked to; its content may be there all the same.
      if (!isGypsumError(error, 'not-found') && !isGypsumError(error, 'version-unfinished')) throw error;
    }
    versions.set(id, known);
    return known;
  };

  const targets = async (parts: readonly string[], mayChange: boolean): Promise<LinkTarget[] | undefined> => {
    const [project, asset, version, ...rest] = parts;
    if (project === undefined || asset === undefined || version === undefined) return undefined;
    if (nameFault(project) ?? nameFault(asset) ?? nameFault(version)) return undefined;
    const ref = { project, asset, version };
    const known = await look(ref);
    if (known === undefined || !(known.immutable || mayChange)) return undefined;
    const path = rest.join('/');
    const entry = known.manifest[path];
    if (entry !== undefined) return [target(ref, path, '', entry)];
    const found: LinkTarget[] = [];
    for (const [file, below] of Object.entries(known.manifest)) {
      if (isBelow(file, path)) found.push(target(ref, file, path === '' ? file : file.slice(path.length + 1), below));
    }
    return found;
  };

  return {
    find: async (parts) => (await targets(parts, false)) ?? [],
    paths: (parts) => targets(parts, true),
  };
}

function target(ref: VersionRef, path: string, below: string, { size, md5sum }: ManifestEntry): LinkTarget {
  return { below, file: { ...ref, path }, size, md5sum };
}
