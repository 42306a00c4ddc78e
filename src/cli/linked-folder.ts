import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import type { StagedFolder } from '../ops/staged-folder.ts';
import { isMoreGiven } from './change-plans.ts';
import type { Flag } from './command.ts';
import { count } from './text.ts';

/** The flag for a folder with links to files of another one, which is no clone. */
export function fromFlag(description: string): Flag {
  return { flags: '--from <folder>', description };
}

/** Gives the folder that is meant beside `--from`, or throws `invalid-argument` for what does not go with that. */
export function linkedFolder(args: readonly string[], options: object): string {
  const [folder, more] = args;
  if (folder !== undefined && more === undefined && !isMoreGiven(options, ['from', 'dryRun'])) return folder;
  throw new GypsumError('invalid-argument', '"--from" goes with one folder and with "--dry-run" alone.', {
    hint: 'Name the folder that has the links. In a clone, leave out "--from".',
  });
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
