import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { GypsumError } from '../../errors.ts';
import { fsPath } from '../../model/local-path.ts';
import { showText } from '../../model/text.ts';
import { applyLinking } from '../../ops/apply-linking.ts';
import type { LinkPlan, LinkResult, LinkType } from '../../ops/link-plan.ts';
import { planLinking } from '../../ops/plan-linking.ts';
import { stageFolder } from '../../ops/stage-folder.ts';
import type { StagedFolder } from '../../ops/staged-folder.ts';
import type { Call, Command } from '../command.ts';
import { ask } from '../confirm.ts';
import { tellFound, tellLinked, tellPlanned } from '../link-messages.ts';
import { canAsk } from '../read-secret.ts';
import { createScriptLog, type ScriptLog, type Verbosity, verbosityFlag } from '../script-log.ts';
import { checkStaged, type StageFlags, stageFlags, tellStaged } from '../stage-messages.ts';
import { count } from '../text.ts';

interface Options extends StageFlags, Verbosity {
  src_dir: string;
  dst_dir: string;
  replace_links?: boolean;
  stage_links?: boolean;
  link_type?: LinkType;
  use_relative_paths?: boolean;
  protect?: 'none' | 'source';
  createDst?: boolean;
}

export const createLinks: Command<LinkResult | LinkPlan | StagedFolder, Options> = {
  usage: 'create-links',
  summary:
    'Replace files of a folder by links to equal ones of another, or make files of links, with the command line of create_links.py',
  example: 'gypsum create-links --src_dir originals --dst_dir copies --replace_links',
  local: true,
  flags: [
    { flags: '--src_dir <folder>', description: 'the folder that links lead to', required: true },
    { flags: '--dst_dir <folder>', description: 'the folder that has the links', required: true },
    { flags: '--replace_links', description: 'replace files that both folders have by links' },
    { flags: '--stage_links', description: 'make writable files of all links, without "--replace_links"' },
    {
      flags: '--link_type <type>',
      description: 'how links name their files; by default those that are right stay, and new ones are relative',
      choices: ['absolute', 'relative'],
    },
    { flags: '--use_relative_paths', description: 'the same as "--link_type relative"' },
    {
      flags: '--protect <what>',
      description: 'what is made read-only: the files that are linked to, or nothing',
      choices: ['source', 'none'],
      preset: 'source',
    },
    { flags: '--create-dst', description: 'make what the second folder does not have: itself, folders, and links' },
    ...stageFlags,
    { flags: '--dry-run', description: 'show what would be done, and do nothing' },
    { flags: '--fail-fast', description: 'stop at the first file that cannot be linked or staged' },
    verbosityFlag,
  ],
  run(call) {
    const { replace_links: isReplacing, stage_links: isStaging, verbosity } = call.options;
    const log = createScriptLog(call, verbosity);
    // As in the script, the first of them wins.
    if (isReplacing) return replace(call, log);
    if (isStaging) return stage(call, log);
    throw new GypsumError('invalid-argument', 'You must specify either --replace_links or --stage_links.', {
      hint: 'The one makes links of files, the other files of links.',
    });
  },
  check(result, { options }) {
    if ('links' in result) return checkStaged(result, options);
    const failed = result.files.filter(({ state }) => state === 'failed').length;
    const all = failed + ('unprotected' in result ? result.unprotected.length : 0);
    // It has the exit code of failures that have none of their own.
    if (all > 0) throw new Error(`${count(all, 'file')} failed.`);
  },
  // It has been told line by line.
  human: () => '',
};

async function replace(call: Call<Options>, log: ScriptLog): Promise<LinkResult | LinkPlan> {
  const { options, signal, onEvent } = call;
  const { src_dir: source, dst_dir: folder, protect, dryRun = false, failFast = false } = options;
  const linkType = linkTypeOf(options);
  const createDst = options.createDst === true || (await mayCreate(folder, signal));
  const how = { linkType, createDst, failFast, protect: protect === 'none' ? undefined : true, signal, onEvent };
  const folders = { source, folder };
  const plan = await planLinking(source, folder, how);
  tellFound(plan, folders, log);
  if (dryRun) {
    tellPlanned(plan, folders, log);
    return plan;
  }
  const result = await applyLinking(plan, { failFast, signal, onEvent });
  tellLinked(result, plan, folders, log);
  return result;
}

async function stage({ options, signal, onEvent }: Call<Options>, log: ScriptLog): Promise<StagedFolder> {
  const { dst_dir: folder, dirs = false, mode, dryRun = false, failFast = false } = options;
  const result = await stageFolder(folder, { folders: dirs, mode, dryRun, failFast, signal, onEvent });
  tellStaged(result, { folder, noun: 'symbolic links for modification', dryRun }, log);
  return result;
}

function linkTypeOf({ link_type: linkType, use_relative_paths: isRelative }: Options): LinkType | undefined {
  if (!isRelative) return linkType;
  if (linkType !== 'absolute') return 'relative';
  throw new GypsumError('invalid-argument', '--use_relative_paths and "--link_type absolute" say the opposite.', {
    hint: 'Leave out one of them.',
  });
}

/** Asks whether a folder that is not there shall be made, if there is somebody to ask. */
async function mayCreate(folder: string, signal: AbortSignal): Promise<boolean> {
  if (folder.includes('\0') || statSync(fsPath(folder), { throwIfNoEntry: false }) !== undefined || !canAsk())
    return false;
  const shown = showText(resolve(folder));
  const answer = await ask(
    `Destination directory ${shown} does not exist. Would you like to create it, with a link for every file from source? (y/n): `,
    signal,
  );
  if (answer.trim().toLowerCase() === 'y') return true;
  throw new GypsumError('invalid-argument', `Destination directory ${shown} not created.`, {
    hint: 'Nothing was done.',
  });
}
