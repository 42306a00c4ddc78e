import { lstatSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import type { StagedFolder } from '../ops/staged-folder.ts';
import { isMoreGiven } from './change-plans.ts';
import type { Flag } from './command.ts';
import { count } from './text.ts';

/** The flag for a folder with links to files of another one, which is no clone. */
export function fromFlag(description: string): Flag {
  return { flags: '--from <folder>', description };
}

/**
 * Gives the folder that is meant beside `--from`, or throws `invalid-argument` for what does not go with that: no flags but
 * "--dry-run" and those that are named.
 */
export function linkedFolder(args: readonly string[], options: object, others: readonly string[] = []): string {
  const [folder, more] = args;
  if (folder !== undefined && more === undefined && !isMoreGiven(options, ['from', 'dryRun', ...others])) return folder;
  throw new GypsumError('invalid-argument', '"--from" goes with one folder, and with no flags that are for clones.', {
    hint: 'Name the folder that has the links. In a clone, leave out "--from".',
  });
}

/** Takes what has the links for a folder, or for one link in a folder. */
export function linkedPart(path: string): { readonly folder: string; readonly only?: readonly string[] } {
  const place = fsPath(path);
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder || lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return { folder: path };
  return { folder: dirname(path), only: [basename(path)] };
}

/** Says which links of a folder have become files, or would. */
export function showStagedFolder({ links, unreadable, counts }: StagedFolder, dryRun: boolean): string {
  const told = dryRun ? links : links.filter(({ state }) => state !== 'staged');
  const staged = dryRun ? counts.link : counts.staged;
  return [
    ...told.map(({ path, state, message }) =>
      [state.padEnd(8), showText(path), ...(message === undefined ? [] : [`(${showText(message)})`])].join('  '),
    ),
    ...unreadable.map(({ path, message }) => `unread    ${showText(path)}  (${showText(message)})`),
    `${dryRun ? 'Would stage' : 'Staged'} ${count(staged, 'file')}.`,
  ].join('\n');
}
