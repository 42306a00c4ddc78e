import { sep } from 'node:path';
import type { Context } from '../context.ts';
import { entryProject } from '../model/manifest.ts';
import { type FileRef, fileOf, sameVersion } from '../model/refs.ts';
import type { Standing } from '../tree/standing.ts';
import type { SymlinkText } from '../tree/step.ts';
import type { FolderVersion } from './cloned-version.ts';
import type { Linked } from './found.ts';

/** A version whose files links lead to, in the user's own cache or in the site cache. */
interface Home extends Pick<FolderVersion, 'ref' | 'whole'> {
  readonly folder: string;
  readonly isSite: boolean;
}

/**
 * A symlink of a clone to its version's own file, of which all but the path follows from the version: a million take 40 MiB, and
 * written out 390.
 */
class OwnLink implements Standing {
  readonly path: string;
  readonly #home: Home;

  constructor(home: Home, path: string) {
    this.path = path;
    this.#home = home;
  }

  get type(): 'symlink' {
    return 'symlink';
  }

  get before(): SymlinkText {
    return { type: 'symlink', target: targetIn(this.#home, this.path) };
  }

  get content(): Linked {
    return this.link;
  }

  get link(): Linked {
    const { path } = this;
    const { ref, whole, isSite } = this.#home;
    const entry = whole[path];
    if (entry === undefined) throw new Error(`${path} is no file of the version`);
    const { size, md5sum } = entry;
    const link: Linked = { path, file: fileOf(ref, path), size, md5sum, project: entryProject(ref, entry) };
    return isSite ? { ...link, inSite: true } : link;
  }
}

/** Gives what stands where a symlink with a text leads to a file; nothing where not all of it follows from one of some versions. */
export function createOwnLinks(
  { cache, site }: Context,
  versions: readonly FolderVersion[],
): (path: string, text: string, file: FileRef, isSite: boolean) => OwnLink | undefined {
  const homes = versions.flatMap(({ ref, whole }): Home[] => [
    { ref, whole, folder: cache.layout.versionFolder(ref), isSite: false },
    ...(site === undefined ? [] : [{ ref, whole, folder: site.layout.versionFolder(ref), isSite: true }]),
  ]);
  return (path, text, file, isSite) => {
    if (file.path !== path) return undefined;
    const home = homes.find((one) => one.isSite === isSite && sameVersion(one.ref, file));
    // The text of the file's name is the manifest's: of the path there is one more.
    return home !== undefined && targetIn(home, path) === text ? new OwnLink(home, file.path) : undefined;
  };
}

function targetIn({ folder }: Home, path: string): string {
  return folder + sep + path.replaceAll('/', sep);
}
