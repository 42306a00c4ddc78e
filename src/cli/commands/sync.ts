import { stateDir } from '../../config.ts';
import { GypsumError, isGypsumError } from '../../errors.ts';
import { logPublished } from '../../ops/log-published.ts';
import { type OperationLog, openOperationLog } from '../../ops/operation-log.ts';
import type { AssetSyncResult } from '../../ops/publish-options.ts';
import { repeat } from '../../ops/repeat.ts';
import { syncFolders } from '../../ops/sync-folders.ts';
import type { SyncOptions } from '../../ops/sync-options.ts';
import type { SyncResult } from '../../ops/sync-result.ts';
import { checkReplicated, countFailed } from '../check-replicated.ts';
import { argument, type Call, type Command } from '../command.ts';
import { parseInterval } from '../durations.ts';
import { publishedText } from '../published-text.ts';
import { type ReplicaFlags, replicaFlags, replicaOptions } from '../replica-flags.ts';
import { checkFlags, parseReplicated, type Replicated } from '../replica-location.ts';
import { errorLines } from '../report.ts';
import { syncText } from '../sync-text.ts';

interface Options extends ReplicaFlags {
  dryRun?: boolean;
  interval?: number;
  initialDelay?: boolean;
}

type Result = SyncResult | AssetSyncResult;

export const sync: Command<Result | undefined, Options> = {
  usage: 'sync <source> <destination>',
  summary:
    'Have a folder be a replica of another one: what has moved there moves, what is gone goes; one of the two may be gypsum:project/asset',
  example: 'gypsum sync originals replica\n  gypsum sync gypsum:my-project/my-asset my-folder',
  flags: [
    { flags: '--dry-run', description: 'show what would be done, and do nothing' },
    ...replicaFlags,
    {
      flags: '--interval <minutes>',
      description: 'do it now, and then again and again, until Ctrl-C; or a time such as 30s',
      parse: parseInterval,
    },
    { flags: '--initial-delay', description: 'begin when the first interval has passed' },
  ],
  async run(call) {
    const { interval, initialDelay = false, dryRun = false, log: file, logFormat } = call.options;
    if (interval !== undefined && dryRun) {
      throw new GypsumError('invalid-argument', 'A dry run does nothing, and does not do it again and again.', {
        hint: 'Leave out one of --dry-run and --interval.',
      });
    }
    if (interval === undefined && initialDelay) {
      throw new GypsumError('invalid-argument', 'There is no interval that is to pass first.', {
        hint: 'Give --interval, or leave out --initial-delay.',
      });
    }
    const what = parseReplicated(argument(call.args, 0), argument(call.args, 1));
    checkFlags(what, call.options);
    const log = file === undefined ? undefined : openOperationLog(file, logFormat);
    try {
      if (interval !== undefined) return await again(call, what, interval, log);
      return await once(call, what, log, { signal: call.signal });
    } finally {
      log?.close();
    }
  },
  check: checkReplicated,
  human: (result) => (result === undefined ? '' : textOf(result)),
};

function textOf(result: Result): string {
  return 'operations' in result ? syncText(result) : publishedText(result);
}

function isIdle(result: Result): boolean {
  return countFailed(result) === 0 && ('operations' in result ? result.operations.length === 0 : !result.published);
}

async function once(
  { client, options, onEvent }: Call<Options>,
  what: Replicated,
  log: OperationLog | undefined,
  how: Pick<SyncOptions, 'signal' | 'until'>,
): Promise<Result> {
  const all = { ...replicaOptions(options), onEvent, dryRun: options.dryRun === true, stateDir: stateDir() };
  if (what.to === 'asset') {
    // What is sent in part is given up.
    const stop = { signal: how.signal ?? how.until, ...(log !== undefined && { written: [log.path] }) };
    const result = await client().syncToAsset(what.source, what.destination, { ...all, ...stop });
    if (log !== undefined && !result.dryRun) logPublished(log, result);
    return result;
  }
  const given = {
    ...all,
    ...how,
    ...(log !== undefined && { written: [log.path], digests: true, onOperation: log.add, onFailure: log.fail }),
  };
  if (what.from === 'asset') return client().syncFromAsset(what.source, what.destination, given);
  return syncFolders(what.source, what.destination, given);
}

/** Goes on until it is told to stop, and says what has changed; nothing of runs in which nothing has. */
async function again(
  call: Call<Options>,
  what: Replicated,
  every: number,
  log: OperationLog | undefined,
): Promise<undefined> {
  const { signal: until, print, warn, json, quiet } = call;
  // What is wrong from the beginning does not become right by itself.
  let isFirst = true;
  const run = async (): Promise<boolean> => {
    const result = await once(call, what, log, { until });
    isFirst = false;
    log?.close();
    if (!isIdle(result) && json) print(JSON.stringify(result));
    else if (!isIdle(result) && !quiet) print(textOf(result));
    return countFailed(result) === 0;
  };
  await repeat(run, {
    every,
    isDelayed: call.options.initialDelay === true,
    until,
    onError(error) {
      log?.close();
      if (until.aborted && error === until.reason) return;
      if (isFirst && isGypsumError(error, 'invalid-argument')) throw error;
      warn(`gypsum: ${errorLines(error)}`);
    },
  });
  return undefined;
}
