import { lstatSync, type Stats } from 'node:fs';
import type { Pace } from '../give-way.ts';
import { fingerprintOf } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { isBelow } from '../model/tree.ts';
import { createPlaces } from './places.ts';
import { readLink } from './scan.ts';
import type { After, Before, Step } from './step.ts';

/** What is to stand at a path of a folder. */
export interface Placed {
  readonly path: string;
  readonly after: After;
}

/** What stands in a folder where something is to be written. */
export interface GetSurvey {
  /** What can be made, since nothing is there. */
  readonly free: readonly Placed[];
  /** Files and symlinks whose places are taken by other ones, which may be replaced. */
  readonly taken: readonly (Placed & { readonly before: Before })[];
  /** What is there already: the folder, or the symlink with the same text. */
  readonly there: readonly Placed[];
  /** What cannot be made, and all below it. */
  readonly blocked: readonly BlockedPath[];
}

/** Something of another kind stands there. */
export interface BlockedPath {
  readonly path: string;
  /** The end of a sentence that begins with the path. */
  readonly why: string;
}

/** Looks at a folder for what is to be written there: in the order of a tree, with all folders. No symlink is followed. */
export async function surveyForGet(root: string, wanted: readonly Placed[], pace: Pace): Promise<GetSurvey> {
  const survey = { free: [] as Placed[], taken: [] as GetSurvey['taken'][number][], there: [] as Placed[] };
  const blocked: BlockedPath[] = [];
  const places = createPlaces(root);
  let newFolder: string | undefined;
  let barrier: string | undefined;
  try {
    for (const one of wanted) {
      if (pace.due()) await pace.rest();
      const { path, after } = one;
      if (barrier !== undefined && isBelow(path, barrier)) continue;
      // Nothing is in a folder that is not there.
      const isNew = newFolder !== undefined && isBelow(path, newFolder);
      const place = isNew ? '' : places.to(path);
      const stats = isNew ? undefined : lstatSync(fsPath(place), { throwIfNoEntry: false });
      if (stats === undefined) {
        if (after.type === 'directory' && !isNew) newFolder = path;
        survey.free.push(one);
      } else if (isSame(place, stats, after)) survey.there.push(one);
      else if (after.type === 'directory' || !(stats.isFile() || stats.isSymbolicLink())) {
        barrier = path;
        blocked.push({ path, why: whyBlocked(stats, after) });
      } else survey.taken.push({ ...one, before: beforeOf(place, stats) });
    }
  } finally {
    places.close();
  }
  return { ...survey, blocked };
}

/** Gives the steps that make what is free, and replace what is to be replaced, in the order of a tree. */
export function planGet(wanted: readonly Placed[], survey: GetSurvey, replaced: ReadonlySet<string>): Step[] {
  const free = new Set(survey.free.map(({ path }) => path));
  const taken = new Map(survey.taken.map(({ path, before }) => [path, before]));
  return wanted.flatMap(({ path, after }) => {
    if (free.has(path)) return [{ path, after }];
    const before = replaced.has(path) ? taken.get(path) : undefined;
    return before === undefined ? [] : [{ path, before, after }];
  });
}

function isSame(place: string, stats: Stats, after: After): boolean {
  if (after.type === 'directory') return stats.isDirectory();
  return after.type === 'symlink' && stats.isSymbolicLink() && readLink(place) === after.target;
}

function beforeOf(place: string, stats: Stats): Before {
  if (stats.isSymbolicLink()) return { type: 'symlink', target: readLink(place) };
  return { type: 'file', seen: fingerprintOf(stats) };
}

function whyBlocked(stats: Stats, after: After): string {
  if (after.type !== 'directory') {
    return stats.isDirectory() ? 'is a folder there' : 'is neither a file nor a folder nor a link there';
  }
  return stats.isSymbolicLink() ? 'is a symlink there, and no folder' : 'is there, and no folder';
}
