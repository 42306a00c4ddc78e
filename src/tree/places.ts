import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { parse } from 'node:path';
import { fsPath, placeIn } from '../model/local-path.ts';
import { isBelow } from '../model/tree.ts';

/** Leads to the entries of a folder, however deep they lie; best asked for in the order of a tree. */
export interface Places {
  /** Gives a path by which an entry is reached, until the next one is asked for. */
  to(path: string): string;
  /** Lets go of the folders that were opened on the way. */
  close(): void;
}

/** A folder that is open, so that what lies below it has a short name. */
interface Anchor {
  readonly path: string;
  readonly fd: number;
}

/**
 * A path with no more characters than that is short enough for the kernel, which takes 4,095 bytes: each has 3 at most,
 * and some room is left for a short-lived name beside it.
 *
 * Source: Linux, PATH_MAX
 */
const SHORT = 1300;

/** Whether an entry of a folder is reached by a path that stays as it is. */
export function isNear(root: string, path: string): boolean {
  return root.length + path.length < SHORT;
}

/** The open files of this process, by their numbers: what leads below a folder without its path. */
const OPEN_FILES = '/proc/self/fd';

/**
 * Makes places of a folder. Where a path is too long for the kernel, folders on the way are opened one from the other. That
 * takes Linux's /proc; without it such a path is given as it is, and whoever uses it is told that it is too long.
 */
export function createPlaces(root: string): Places {
  return openPlaces(root, constants.O_NOFOLLOW);
}

/** A path by which a file is reached until it is let go of. */
export interface Place {
  readonly path: string;
  close(): void;
}

/** Leads to what an absolute path says, through symlinks too, also where it is too long for the kernel. */
export function openPlace(path: string): Place {
  if (path.length < SHORT || !hasOpenFiles()) return { path, close: () => {} };
  const { root } = parse(path);
  const places = openPlaces(root, 0);
  try {
    return { path: places.to(path.slice(root.length)), close: places.close };
  } catch (error) {
    places.close();
    throw error;
  }
}

/** Has something done at once with what an absolute path leads to, also where that is too long for the kernel. */
export function reach<T>(path: string, use: (place: string) => T): T {
  const place = openPlace(path);
  try {
    return use(place.path);
  } finally {
    place.close();
  }
}

/** Folders on the way, below the root, are opened with these flags. */
function openPlaces(root: string, flags: number): Places {
  // Each lies in the one before.
  const anchors: Anchor[] = [];

  const open = (path: string, place: string, flags: number) => {
    const fd = openSync(fsPath(place), constants.O_RDONLY | constants.O_DIRECTORY | flags);
    const anchor = { path, fd };
    anchors.push(anchor);
    return anchor;
  };
  const letGo = (isNeeded: (anchor: Anchor) => boolean) => {
    for (let last = anchors.at(-1); last !== undefined && !isNeeded(last); last = anchors.at(-1)) {
      anchors.pop();
      closeSync(last.fd);
    }
  };
  const below = ({ path: from, fd }: Anchor, path: string) =>
    `${OPEN_FILES}/${fd}/${from === '' ? path : path.slice(from.length + 1)}`;

  return {
    to(path) {
      if (isNear(root, path) || !hasOpenFiles()) return placeIn(root, path);
      letGo((anchor) => isBelow(path, anchor.path));
      let last = anchors.at(-1) ?? reach(root, (place) => open('', place, 0));
      while (path.length - last.path.length > SHORT) {
        const end = path.lastIndexOf('/', last.path.length + SHORT);
        if (end <= last.path.length) break;
        const folder = path.slice(0, end);
        last = open(folder, below(last, folder), flags);
      }
      return below(last, path);
    },
    close: () => letGo(() => false),
  };
}

let known: boolean | undefined;

function hasOpenFiles(): boolean {
  known ??= process.platform === 'linux' && existsSync(OPEN_FILES);
  return known;
}
