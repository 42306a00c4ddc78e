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
import { syncFiles } from './sync-file.ts';
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
  const way = createWay(root);
  try {
    const place = way.to(path);
    const holder = freshName(dirname(place));
    const whole = join(holder, basename(place));
    mkdirSync(fsPath(holder));
    try {
      const unfinished = join(holder, UNFINISHED);
      mkdirSync(fsPath(unfinished));
      await applyChanges(unfinished, steps, options);
      if (options.durable) await syncAll(unfinished, steps, options);
      if (!isStillLink(root, path, before)) throw changed(root, path);
      renameSync(fsPath(unfinished), fsPath(whole));
    } catch (error) {
      rmSync(fsPath(holder), { recursive: true, force: true });
      throw error;
    }
    unlinkSync(fsPath(place));
    renameSync(fsPath(whole), fsPath(place));
    rmdirSync(fsPath(holder));
  } finally {
    way.close();
  }
}

/**
 * Ends what a process had begun with `putFolder` that was killed: a whole folder is put in its place if nothing stands there,
 * and its path is given; what is not whole, or not needed, goes.
 */
export function finishFolder(root: string, holder: string): string | undefined {
  const way = createWay(root);
  try {
    // The holder itself must be no symlink, either.
    way.to(`${holder}/${UNFINISHED}`);
    const held = way.to(holder);
    const [name = UNFINISHED] = readdirSync(fsPath(held), { encoding: 'buffer' }).map(decodePath);
    const place = join(dirname(held), name);
    const isWanted = name !== UNFINISHED && lstatSync(fsPath(place), { throwIfNoEntry: false }) === undefined;
    if (isWanted) renameSync(fsPath(join(held, name)), fsPath(place));
    rmSync(fsPath(held), { recursive: true, force: true });
    return isWanted ? joinPath(parentPath(holder), name) : undefined;
  } finally {
    way.close();
  }
}

async function syncAll(root: string, steps: readonly MakeStep[], { signal }: ChangeOptions): Promise<void> {
  const way = createWay(root);
  try {
    const files = steps.filter(({ after }) => after.type === 'file');
    await syncFiles(files, ({ path }) => way.to(path), { signal });
  } finally {
    way.close();
  }
}

/** Whether a path is the link that it was; throws if it would be reached through a symlink. */
function isStillLink(root: string, path: string, { target }: SymlinkText): boolean {
  const way = createWay(root);
  try {
    const place = way.to(path);
    const stats = lstatSync(fsPath(place), { throwIfNoEntry: false });
    return stats?.isSymbolicLink() === true && readLink(place) === target;
  } finally {
    way.close();
  }
}

function changed(root: string, path: string): GypsumError {
  return new GypsumError('file-changed', `${showText(join(root, path))} is not the link any more that it was.`, {
    hint: 'It was left alone. Run it again.',
    details: { directory: root, path },
  });
}
