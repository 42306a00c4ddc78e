import picomatch from 'picomatch';
import { GypsumError } from '../errors.ts';
import { type Manifest, selectEntries } from './manifest.ts';
import { formatRef, type VersionRef } from './refs.ts';
import { showText } from './text.ts';

/**
 * Which files of a version are meant: those that match a pattern of `include`, or all without one, but for those that
 * match one of `exclude`. `createMatcher` says what patterns are.
 */
export interface Selection {
  include?: readonly string[] | undefined;
  exclude?: readonly string[] | undefined;
}

/** Units: characters. The library takes no more. */
const MAX_PATTERN = 65_536;

/**
 * Makes a test for paths, or throws `invalid-argument`. A pattern is the path of a file, or of a folder with all that is
 * in it, or a glob for paths of files: `*`, `?`, `[abc]` and `{a,b}` within names, `**` for any number of folders.
 * Names that begin with a dot are as all others.
 */
export function createMatcher(pattern: string): (path: string) => boolean {
  const named = pattern.replace(/^(\.\/)+|\/+$/g, '');
  if (named === '' || pattern.length > MAX_PATTERN) {
    throw new GypsumError('invalid-argument', `"${showText(pattern.slice(0, 60))}" is not a pattern for files.`, {
      hint: 'Give a path, a folder or a glob, such as "table.csv", "images" or "**/*.csv".',
      details: { pattern },
    });
  }
  // Parentheses stand in many names, and for groups in none of our patterns.
  const glob = picomatch(named.replace(/[()]/g, '\\$&'), { dot: true, nonegate: true, windows: false, flags: 's' });
  return (path) => path === named || path.startsWith(`${named}/`) || glob(path);
}

/**
 * Gives the entries of a manifest that are meant; the manifest itself if that is all. Throws `not-found` naming a pattern
 * that no path of the version matches, and `invalid-argument` if nothing is left. `paths` are all that a pattern may mean, also what is no
 * file.
 */
export function selectFiles(
  manifest: Manifest,
  ref: VersionRef,
  { include = [], exclude = [] }: Selection,
  paths: readonly string[] = Object.keys(manifest),
): Manifest {
  const matching = (pattern: string) => {
    const matches = createMatcher(pattern);
    const found = paths.filter(matches);
    if (found.length === 0) throw unmatched(ref, pattern);
    return found;
  };
  const included = include.length === 0 ? undefined : new Set(include.flatMap(matching));
  const excluded = new Set(exclude.flatMap(matching));
  if (included === undefined && excluded.size === 0) return manifest;
  const isMeant = (path: string) => (included?.has(path) ?? true) && !excluded.has(path);
  const selected = selectEntries(manifest, (_, path) => isMeant(path));
  if (Object.keys(selected).length > 0 || paths.some((path) => !(path in manifest) && isMeant(path))) return selected;
  throw new GypsumError('invalid-argument', `No file of ${formatRef(ref)} is left: all are excluded.`, {
    hint: 'Exclude less, or include more.',
    details: { ...ref, include, exclude },
  });
}

/** Gives the entries that are meant by patterns for another version: one that matches none here means none. */
export function selectMatching(manifest: Manifest, { include = [], exclude = [] }: Selection): Manifest {
  if (include.length === 0 && exclude.length === 0) return manifest;
  const [included, excluded] = [include.map(createMatcher), exclude.map(createMatcher)];
  return selectEntries(manifest, (_, path) => {
    const isIncluded = included.length === 0 || included.some((matches) => matches(path));
    return isIncluded && !excluded.some((matches) => matches(path));
  });
}

function unmatched(ref: VersionRef, pattern: string): GypsumError {
  const named = pattern.replace(/^[./]*\/|\/+$/g, '');
  const instead = pattern.startsWith('/')
    ? `Paths in a version begin with no slash: write "${named}".`
    : `In all folders, it is "**/${named.split('/').at(-1) ?? ''}".`;
  return new GypsumError('not-found', `No file of ${formatRef(ref)} matches "${showText(pattern)}".`, {
    hint: `See its files with "gypsum files ${formatRef(ref)}". ${showText(instead)}`,
    details: { ...ref, path: pattern },
  });
}
