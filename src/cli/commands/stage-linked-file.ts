import { stageFolder } from '../../ops/stage-folder.ts';
import type { StagedFolder } from '../../ops/staged-folder.ts';
import type { Command } from '../command.ts';
import { createScriptLog, type Verbosity, verbosityFlag } from '../script-log.ts';
import { checkStaged, NO_LINKS, type StageFlags, stageFlags, tellStaged } from '../stage-messages.ts';

interface Options extends StageFlags, Verbosity {
  dst_dir: string;
}

export const stageLinkedFile: Command<StagedFolder, Options> = {
  usage: 'stage-linked-file',
  summary: 'Make writable files of all symlinks in a folder, with the command line of stage_linked_file.py',
  example: 'gypsum stage-linked-file --dst_dir copies',
  local: true,
  flags: [
    { flags: '--dst_dir <folder>', description: 'the folder with the links', required: true },
    ...stageFlags,
    { flags: '--dry-run', description: 'show what would be staged, and do nothing' },
    { flags: '--fail-fast', description: 'stop at the first link that cannot be staged' },
    verbosityFlag,
  ],
  async run(call) {
    const { options, signal, onEvent } = call;
    const { dst_dir: folder, dirs = false, mode, dryRun = false, failFast = false, verbosity } = options;
    const result = await stageFolder(folder, { folders: dirs, mode, dryRun, failFast, signal, onEvent });
    const log = createScriptLog(call, verbosity);
    if (result.links.length === 0 && result.unreadable.length === 0) log.sum(NO_LINKS);
    else tellStaged(result, { folder, noun: 'files for modification', dryRun }, log);
    return result;
  },
  check: (result, { options }) => checkStaged(result, options),
  // It has been told line by line.
  human: () => '',
};
