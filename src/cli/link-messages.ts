import { join } from 'node:path';
import { showText } from '../model/text.ts';
import type { LinkedFile, LinkPlan, LinkResult } from '../ops/link-plan.ts';
import { sumUp } from './link-text.ts';
import type { ScriptLog } from './script-log.ts';

interface Folders {
  readonly source: string;
  readonly folder: string;
}

/** Tells of what was found in two folders, as the script does. */
export function tellFound({ files, steps }: LinkPlan, folders: Folders, log: ScriptLog): void {
  const planned = new Set(steps.map(({ path }) => path));
  for (const file of files) {
    // What is made where nothing is, is told when it is there.
    if (file.state !== 'missing' || !planned.has(file.path)) tellFile(file, folders, log);
  }
}

/** Tells of what would be done. */
export function tellPlanned({ steps }: LinkPlan, { folder }: Folders, log: ScriptLog): void {
  let links = 0;
  for (const { path, after } of steps) {
    if (after === undefined) log.info(`[DRY RUN] Would remove what a killed run has left: ${at(folder, path)}`);
    else if (after.type !== 'symlink') log.info(`[DRY RUN] Would create subdirectory: ${at(folder, path)}`);
    else {
      log.info(`[DRY RUN] Would create link: ${at(folder, path)} -> ${showText(after.target)}`);
      links++;
    }
  }
  log.sum(`[DRY RUN] Would replace ${links} files with symbolic links.`);
}

/** Tells of what was done. */
export function tellLinked(result: LinkResult, { files }: LinkPlan, folders: Folders, log: ScriptLog): void {
  const { source, folder } = folders;
  for (const path of result.folders) {
    log.info(
      path === '' ? `Created destination directory: ${showText(folder)}` : `Created subdirectory: ${at(folder, path)}`,
    );
  }
  const failed = new Set(files.filter(({ state }) => state === 'failed').map(({ path }) => path));
  for (const file of result.files) {
    if (file.state === 'linked')
      log.info(`Created symlink: ${at(folder, file.path)} -> ${showText(file.target ?? '')}`);
    else if (file.state === 'failed' && !failed.has(file.path)) tellFile(file, folders, log);
  }
  for (const { path, message } of result.unprotected) {
    log.error(`Error protecting ${at(source, path)}: ${showText(message)}`);
  }
  if (result.stopped) log.error('Stopped at the first failure.');
  log.info(sumUp(result.counts));
  log.sum(`Replaced ${result.counts.linked} files with symbolic links.`);
}

function tellFile(
  { path, state, target = '', message = '' }: LinkedFile,
  { source, folder }: Folders,
  log: ScriptLog,
): void {
  const [from, to] = [at(source, path), at(folder, path)];
  if (state === 'same') log.info(`Files are the same and will be replaced: ${from} -> ${to}`);
  else if (state === 'already-linked') log.info(`Already linked: ${to} -> ${showText(target)}`);
  else if (state === 'different') log.warning(`Warning: ${to} and ${from} have different content.`);
  else if (state === 'missing') log.warning(`Warning: ${to} is missing in the destination directory.`);
  else if (state === 'type-differs')
    log.warning(`Warning: ${to} and ${from} have different types. ${showText(message)}`);
  else if (state === 'broken-link') log.warning(`Warning: ${to} is a broken link.`);
  else if (state === 'alias') log.warning(`Warning: ${to} is left alone. ${showText(message)}`);
  else log.error(`Error creating symlink for ${to}: ${showText(message)}`);
}

function at(folder: string, path: string): string {
  return showText(join(folder, path));
}
