import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { showText } from '../model/text.ts';
import type { StagedFolder, StagedLink } from '../ops/staged-folder.ts';
import type { Flag } from './command.ts';
import type { ScriptLog } from './script-log.ts';
import { count } from './text.ts';

/** How links are staged, for each command that does it. */
export interface StageFlags {
  dirs?: boolean;
  mode?: number;
  strict?: boolean;
  failFast?: boolean;
  dryRun?: boolean;
}

export const stageFlags: readonly Flag[] = [
  { flags: '--dirs', description: 'make folders of files of links that lead to folders, too' },
  {
    flags: '--mode <octal>',
    description:
      'the permissions of what was a link, such as 644; by default those of the file, and that you may write',
    parse: parseMode,
  },
  { flags: '--strict', description: 'fail where a link leads nowhere, too' },
];

function parseMode(text: string): number {
  if (/^0?[0-7]{3}$/.test(text)) return Number.parseInt(text, 8);
  throw new InvalidArgumentError('It is three octal digits, such as 644.');
}

/** What the scripts say where nothing is to be done. */
export const NO_LINKS = 'No symbolic links found to stage.';

/** Tells of the links of a folder as the scripts do, and sums up how many `noun` were staged. */
export function tellStaged(
  { links, unreadable, counts, stopped }: StagedFolder,
  { folder, noun, dryRun }: { folder: string; noun: string; dryRun: boolean },
  log: ScriptLog,
): void {
  for (const { path, message } of unreadable)
    log.error(`Error reading folder ${at(folder, path)}: ${showText(message)}`);
  if (links.length === 0) log.info(NO_LINKS);
  for (const link of links) tell(link, folder, dryRun, log);
  if (stopped) log.error('Stopped at the first failure.');
  log.sum(dryRun ? `[DRY RUN] Would stage ${counts.link} ${noun}.` : `Staged ${counts.staged} ${noun}.`);
}

function tell({ path, state, target = '', message = '' }: StagedLink, folder: string, dryRun: boolean, log: ScriptLog) {
  const link = `${at(folder, path)} -> ${showText(target)}`;
  if (state === 'staged') log.info(target === '' ? `Staged: ${at(folder, path)}` : `Staged: ${link}`);
  else if (state === 'link' && dryRun) log.info(`[DRY RUN] Would stage: ${link}`);
  else if (state === 'dangling') log.warning(`Warning: Target file does not exist for link ${link}`);
  else if (state === 'folder') log.warning(`Warning: Target is a directory for link ${link}`);
  else if (state === 'special') log.warning(`Warning: Target is not a regular file for link ${link}`);
  else if (state === 'failed') log.error(`Error staging link ${at(folder, path)}: ${showText(message)}`);
}

/** Throws if links could not be staged. */
export function checkStaged({ counts, unreadable }: StagedFolder, { strict = false }: StageFlags): void {
  const failed = counts.failed + unreadable.length + (strict ? counts.dangling : 0);
  // It has the exit code of failures that have none of their own.
  if (failed > 0) throw new Error(`${count(failed, 'link')} could not be staged.`);
}

function at(folder: string, path: string): string {
  return showText(join(folder, path));
}
