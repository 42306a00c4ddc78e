import { lstatSync } from 'node:fs';
import { parse } from 'node:path';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import { createSymlinkResolver } from '../tree/resolve-symlink.ts';
import { checkFolder } from './check-folder.ts';
import type { LinkFolders } from './link-plan.ts';

export interface CheckedFolders extends LinkFolders {
  readonly realSource: string;
  /** The destination is not there yet. */
  readonly isMissing: boolean;
}

/**
 * Gives two folders of which one may have links to the other, or throws `invalid-argument`: the source must neither be the
 * destination, nor lie in it, nor be reached through it, since then its files would be replaced by links to themselves.
 */
export function checkLinkFolders(source: string, destination: string, createDst: boolean): CheckedFolders {
  const realSource = checkFolder(source, 'Give a folder that is there, for links to lead to.');
  const isMissing = createDst && !destination.includes('\0') && isNothing(realPath(destination));
  const real = isMissing
    ? realPath(destination)
    : checkFolder(destination, 'Give a folder that is there, or have it made with createDst (--create-dst).');
  const from = absolutePath(source);
  if (createSymlinkResolver(real).resolve(parse(from).root, from).type === 'inside' || isSame(realSource, real)) {
    throw new GypsumError(
      'invalid-argument',
      `${showText(source)} is, lies in, or is reached through ${showText(destination)}: its files would become links to themselves.`,
      { hint: 'Give two folders, the first of them outside of the second.', details: { source, destination } },
    );
  }
  return { source: from, realSource, destination: real, isMissing };
}

function isNothing(path: string): boolean {
  return lstatSync(fsPath(path), { throwIfNoEntry: false }) === undefined;
}

/** Also where one folder has two real paths, as bind mounts give it. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) => lstatSync(fsPath(path), { throwIfNoEntry: false }));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}
