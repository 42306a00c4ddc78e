import type { Context } from '../context.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import { placeIn } from '../model/local-path.ts';
import { entryDigest, type Manifest } from '../model/manifest.ts';
import { sameVersion } from '../model/refs.ts';
import type { After } from '../tree/step.ts';
import type { FolderVersion } from './cloned-version.ts';
import type { Stood } from './read-standing.ts';
import type { InSite } from './site-cache.ts';

/** How a clone has the files of a version. */
export interface CloneLayout {
  /** Gives what stands at a path of the version, or of what is its own beside files. */
  layOut(path: string): After;
  /** Whether what holds the version's content at its path stands there as it is laid out, or as good. */
  isLaidOut(one: Stood): boolean;
}

/** Lays a version out: files that are not `selected` are symlinks that dangle, those of `inSite` lead into the site cache. */
export function createCloneLayout(
  { cache, site }: Context,
  { ref, own, tree }: Pick<FolderVersion, 'ref' | 'own' | 'tree'>,
  mode: CloneMode,
  selected: Manifest,
  inSite: InSite,
): CloneLayout {
  const folder = cache.layout.versionFolder(ref);
  const siteFolder = site?.layout.versionFolder(ref);
  const modes = new Map(
    tree?.entries.flatMap(({ type, path, mode }) => (type === 'file' && mode !== undefined ? [[path, mode]] : [])),
  );
  const siteFile = (path: string) => {
    const file = siteFolder === undefined ? undefined : placeIn(siteFolder, path);
    return file !== undefined && inSite.has(file) ? file : undefined;
  };
  return {
    layOut(path) {
      const one = own.get(path);
      if (one !== undefined) return one;
      const source = placeIn(folder, path);
      const entry = selected[path];
      if (mode === 'symlink') return { type: 'symlink', target: siteFile(path) ?? source };
      if (entry === undefined) return { type: 'symlink', target: source };
      const permissions = modes.get(path);
      const rights = permissions === undefined ? {} : { permissions, exact: true };
      return { type: 'file', mode, source, size: entry.size, digest: entryDigest(entry), ...rights };
    },
    isLaidOut({ path, type, link }) {
      if (type === 'file') return mode !== 'symlink' && (mode !== 'hardlink' || link !== undefined);
      if (mode !== 'symlink' && path in selected) return false;
      if (link === undefined || link.file.path !== path || !sameVersion(link.file, ref)) return false;
      return !link.inSite || siteFile(path) !== undefined;
    },
  };
}
