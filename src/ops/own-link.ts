import { placeIn } from '../model/local-path.ts';
import { entryProject } from '../model/manifest.ts';
import { fileOf } from '../model/refs.ts';
import type { Standing } from '../tree/standing.ts';
import type { SymlinkText } from '../tree/step.ts';
import type { Linked } from './found.ts';
import type { Home } from './link-targets.ts';

/**
 * A symlink of a clone to its version's own file, of which all but the path follows from the version: a million take 40 MiB, and
 * written out 390.
 */
export class OwnLink implements Standing {
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
    return { type: 'symlink', target: placeIn(this.#home.folder, this.path) };
  }

  get content(): Linked {
    return this.link;
  }

  get link(): Linked {
    const { path } = this;
    const { ref, manifest, isSite } = this.#home;
    const entry = manifest[path];
    if (entry === undefined) throw new Error(`${path} is no file of the version`);
    const { size, md5sum } = entry;
    const link: Linked = { path, file: fileOf(ref, path), size, md5sum, project: entryProject(ref, entry) };
    return isSite ? { ...link, inSite: true } : link;
  }
}
