import { stateDir } from '../../config.ts';
import { GypsumError, isGypsumError } from '../../errors.ts';
import { type OperationLog, openOperationLog } from '../../ops/operation-log.ts';
import { repeat } from '../../ops/repeat.ts';
import { syncFolders } from '../../ops/sync-folders.ts';
import type { SyncOptions } from '../../ops/sync-options.ts';
import type { SyncResult } from '../../ops/sync-result.ts';
import { checkReplicated } from '../check-replicated.ts';
import { argument, type Call, type Command } from '../command.ts';
import { parseInterval } from '../durations.ts';
import { type ReplicaFlags, replicaFlags, replicaOptions } from '../replica-flags.ts';
import { errorLines } from '../report.ts';
import { syncText } from '../sync-text.ts';

interface Options extends ReplicaFlags {
  dryRun?: boolean;
  interval?: number;
}

export const sync: Command<SyncResult | undefined, Options> = {
  usage: 'sync <source-folder> <destination-folder>',
  summary: 'Have a folder be a replica of another one: what has moved there moves, what is gone goes',
  example: 'gypsum sync originals replica',
  local: true,
  flags: [
    { flags: '--dry-run', description: 'show what would be done, and do nothing' },
    ...replicaFlags,
    {
      flags: '--interval <minutes>',
      description: 'do it now, and then again and again, until Ctrl-C; or a time such as 30s',
      parse: parseInterval,
    },
  ],
  async run(call) {
    const { interval, dryRun = false, log: file, logFormat } = call.options;
    if (interval !== undefined && dryRun) {
      throw new GypsumError('invalid-argument', 'A dry run does nothing, and does not do it again and again.', {
        hint: 'Leave out one of --dry-run and --interval.',
      });
    }
    const log = file === undefined ? undefined : openOperationLog(file, logFormat);
    try {
      if (interval !== undefined) return await again(call, interval, log);
      return await once(call, log, { signal: call.signal });
    } finally {
      log?.close();
    }
  },
  check: checkReplicated,
  human: (result) => (result === undefined ? '' : syncText(result)),
};

async function once(
  { args, options, onEvent }: Call<Options>,
  log: OperationLog | undefined,
  how: Pick<SyncOptions, 'signal' | 'until'>,
): Promise<SyncResult> {
  return syncFolders(argument(args, 0), argument(args, 1), {
    ...how,
    ...replicaOptions(options),
    onEvent,
    dryRun: options.dryRun === true,
    stateDir: stateDir(),
    ...(log !== undefined && { written: [log.path], digests: true, onOperation: log.add, onFailure: log.fail }),
  });
}

/** Goes on until it is told to stop, and says what has changed; nothing of runs in which nothing has. */
async function again(call: Call<Options>, every: number, log: OperationLog | undefined): Promise<undefined> {
  const { signal: until, print, warn, json, quiet } = call;
  // What is wrong from the beginning does not become right by itself.
  let isFirst = true;
  const run = async (): Promise<boolean> => {
    const result = await once(call, log, { until });
    isFirst = false;
    log?.close();
    const isIdle = result.operations.length + result.failures.length === 0;
    if (!isIdle && json) print(JSON.stringify(result));
    else if (!isIdle && !quiet) print(syncText(result));
    return result.failures.length === 0;
  };
  await repeat(run, {
    every,
    until,
    onError(error) {
      log?.close();
      if (isFirst && isGypsumError(error, 'invalid-argument')) throw error;
      warn(`gypsum: ${errorLines(error)}`);
    },
  });
  return undefined;
}
