import { dirname, join } from 'node:path';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { isBelow, type SymlinkEntry } from '../model/tree.ts';
import { isLeftover, isShortLived } from '../tree/put-file.ts';
import { liesIn, realPath } from '../tree/real-path.ts';
import { createSymlinkResolver } from '../tree/resolve-symlink.ts';
import { scanFolder } from '../tree/scan.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { Step } from '../tree/step.ts';
import { removalOf } from './leftovers.ts';
import type { StagedLink } from './staged-folder.ts';

/** A symlink, and what of it is known before anything is read: in the state `link` it leads to `source`, a real path. */
export interface FoundLink extends StagedLink {
  readonly source?: string;
}

export interface FoundSymlinks {
  readonly links: readonly FoundLink[];
  /** Folders that could not be read, and why. */
  readonly unreadable: readonly { readonly path: string; readonly message: string }[];
  /** What killed runs have left: folders by their paths, and how the rest is taken away. */
  readonly left: { readonly folders: readonly string[]; readonly steps: readonly Step[] };
}

export interface FindOptions extends CallOptions {
  /** The real path of the folder that links must lead into. */
  readonly source: string | undefined;
  readonly only: readonly string[] | undefined;
}

/** Finds the symlinks of a folder, given by its real path, and follows each from the folder that it stands in. */
export async function findSymlinks(root: string, { source, only, ...call }: FindOptions): Promise<FoundSymlinks> {
  const unreadable: { path: string; message: string }[] = [];
  const folders: string[] = [];
  const isWanted = (path: string) => only?.some((one) => path === one || isBelow(path, one)) ?? true;
  const isOnWay = (path: string) => isWanted(path) || only?.some((one) => isBelow(one, path)) === true;
  const tree = await scanFolder(root, {
    ...call,
    sizes: false,
    skip(path, isFolder) {
      if (!isShortLived(path)) return isFolder && !isOnWay(path);
      if (isFolder && isLeftover(path)) folders.push(path);
      return isFolder || !isLeftover(path);
    },
    onFailure: (path, { message }) => void unreadable.push({ path, message }),
  });
  const resolver = source === undefined ? undefined : createSymlinkResolver(source);
  const links: FoundLink[] = [];
  const steps: Step[] = [];
  const pace = createPace(call.signal);
  for (const entry of tree) {
    steps.push(...removalOf(entry, root));
    if (entry.type !== 'symlink' || isLeftover(entry.path) || !isWanted(entry.path)) continue;
    const isOther =
      resolver !== undefined && resolver.resolve(dirname(join(root, entry.path)), entry.target).type !== 'inside';
    links.push(isOther ? stateOf(entry, 'other') : follow(root, entry));
    if (pace.due()) await pace.rest();
  }
  return { links, unreadable, left: { folders, steps } };
}

function stateOf({ path, target }: SymlinkEntry, state: StagedLink['state'], message?: string): FoundLink {
  return { path, target, state, ...(message !== undefined && { message }) };
}

function follow(root: string, link: SymlinkEntry): FoundLink {
  const place = join(root, link.path);
  try {
    const stats = statThrough(place);
    if (stats === undefined) return stateOf(link, 'dangling');
    if (!stats.isFile() && !stats.isDirectory()) return stateOf(link, 'special');
    const source = realPath(place);
    if (stats.isFile()) return { ...stateOf(link, 'link'), source };
    if (liesIn(place, source)) {
      return stateOf(link, 'failed', 'It leads to a folder that it lies in.');
    }
    return { ...stateOf(link, 'folder'), source };
  } catch (error) {
    return stateOf(link, 'failed', (error as Error).message);
  }
}
