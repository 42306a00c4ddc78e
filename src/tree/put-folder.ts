import { lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { GypsumError } from '../errors.ts';
import { decodePath, fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { joinPath, parentPath } from '../model/tree.ts';
import { applyChanges, type ChangeOptions } from './apply-changes.ts';
import { freshName } from './put-file.ts';
import { readLink } from './scan.ts';
import type { MakeStep, SymlinkText } from './step.ts';
import { createWay } from './way.ts';

/** What a folder is called until all that belongs into it is there; no version may hold such a name. */
const UNFINISHED = '..unfinished';

/**
 * Puts a folder in the place of a symlink, made by steps of its own. Throws `file-changed` if something else stands there
 * by then.
 *
 * No system call replaces a link by a folder. So the folder is made whole beside it, and then takes its name at once; who is
 * killed between the two leaves the whole folder, which `finishFolder` puts in its place.
 */
export async function putFolder(
  root: string,
  path: string,
  before: SymlinkText,
  steps: readonly MakeStep[],
  options: ChangeOptions,
): Promise<void> {
  const place = placeIn(root, path);
  const holder = freshName(dirname(place));
  const whole = join(holder, basename(place));
  mkdirSync(fsPath(holder));
  try {
    const unfinished = join(holder, UNFINISHED);
    mkdirSync(fsPath(unfinished));
    await applyChanges(unfinished, steps, options);
    if (!isLink(placeIn(root, path), before)) throw changed(root, path);
    renameSync(fsPath(unfinished), fsPath(whole));
  } catch (error) {
    rmSync(fsPath(holder), { recursive: true, force: true });
    throw error;
  }
  unlinkSync(fsPath(place));
  renameSync(fsPath(whole), fsPath(place));
  rmdirSync(fsPath(holder));
}

/**
 * Ends what a process had begun with `putFolder` that was killed: a whole folder is put in its place if nothing stands there,
 * and its path is given; what is not whole, or not needed, goes.
 */
export function finishFolder(root: string, holder: string): string | undefined {
  const held = placeIn(root, `${holder}/${UNFINISHED}`);
  const [name = UNFINISHED] = readdirSync(fsPath(dirname(held)), { encoding: 'buffer' }).map(decodePath);
  const path = joinPath(parentPath(holder), name);
  const isWanted = name !== UNFINISHED && lstatSync(fsPath(join(root, path)), { throwIfNoEntry: false }) === undefined;
  if (isWanted) renameSync(fsPath(join(root, holder, name)), fsPath(join(root, path)));
  rmSync(fsPath(join(root, holder)), { recursive: true, force: true });
  return isWanted ? path : undefined;
}

/** Gives where an entry is, or throws if it would be reached through a symlink. */
function placeIn(root: string, path: string): string {
  const way = createWay(root);
  try {
    way.to(path);
    return join(root, path);
  } finally {
    way.close();
  }
}

function isLink(place: string, { target }: SymlinkText): boolean {
  return lstatSync(fsPath(place), { throwIfNoEntry: false })?.isSymbolicLink() === true && readLink(place) === target;
}

function changed(root: string, path: string): GypsumError {
  return new GypsumError('file-changed', `${showText(join(root, path))} is not the link any more that it was.`, {
    hint: 'It was left alone. Run it again.',
    details: { directory: root, path },
  });
}
