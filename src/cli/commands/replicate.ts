import { stateDir } from '../../config.ts';
import { showText } from '../../model/text.ts';
import { type OperationLog, openOperationLog } from '../../ops/operation-log.ts';
import { type ReplicateOptions, replicateFolders } from '../../ops/replicate-folders.ts';
import { argument, type Call, type Command } from '../command.ts';
import { parseDuration } from '../durations.ts';
import { createErrorTeller } from '../error-teller.ts';
import { type ReplicaFlags, replicaFlags, replicaOptions } from '../replica-flags.ts';
import { syncText } from '../sync-text.ts';

interface Options extends ReplicaFlags {
  every?: number;
  scanEvery?: number;
  watch: boolean;
  requireEmpty?: boolean;
}

export const replicate: Command<undefined, Options> = {
  usage: 'replicate <source-folder> <destination-folder>',
  summary:
    'Have a folder be a replica of another one and stay one, until Ctrl-C: changes of the one are carried over, those of the other undone',
  example: 'gypsum replicate originals replica --every 500ms',
  local: true,
  flags: [
    {
      flags: '--every <time>',
      description: 'how often changes are looked for, such as 2s (default: 500ms)',
      parse: parseDuration,
    },
    {
      flags: '--scan-every <time>',
      description: 'how often all is read though the system tells of no change (default: 60s)',
      parse: parseDuration,
    },
    { flags: '--no-watch', description: 'read all each time, and do not have the system tell of changes' },
    { flags: '--require-empty', description: 'refuse a destination that holds anything' },
    ...replicaFlags,
  ],
  async run(call) {
    const { every = EVERY, scanEvery, watch, requireEmpty, log: file, logFormat } = call.options;
    const log = file === undefined ? undefined : openOperationLog(file, logFormat);
    try {
      await replicateFolders(argument(call.args, 0), argument(call.args, 1), {
        ...replicaOptions(call.options),
        ...tell(call, log),
        every,
        until: call.signal,
        watch,
        ...(scanEvery !== undefined && { scanEvery }),
        requireEmpty: requireEmpty === true,
        stateDir: stateDir(),
        ...(log !== undefined && { written: [log.path], onOperation: log.add, onFailure: log.fail }),
      });
      return undefined;
    } finally {
      log?.close();
    }
  },
  human: () => '',
};

/** Units: milliseconds */
const EVERY = 500;

/** Says what has changed, and what is wrong; the same once as long as it stays so. */
function tell({ print, warn, json, quiet }: Call<Options>, log: OperationLog | undefined): Partial<ReplicateOptions> {
  const errors = createErrorTeller((lines) => warn(`gypsum: ${lines}`));
  return {
    onResult(result) {
      errors.reset();
      // Others may move it away.
      log?.close();
      if (json) print(JSON.stringify(result));
      else if (!quiet) print(syncText(result));
    },
    onError: errors.tell,
    onUnwatched: ({ message }) =>
      warn(`gypsum: The system does not tell of changes: all is read each time. (${showText(message)})`),
    onSetAside: (path) =>
      warn(`gypsum: What was remembered of the two is of no use, and is in ${showText(path)} now: all is read once.`),
  };
}
