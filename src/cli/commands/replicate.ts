import { stateDir } from '../../config.ts';
import type { GypsumEvent } from '../../events.ts';
import { showText } from '../../model/text.ts';
import { logPublished } from '../../ops/log-published.ts';
import { type OperationLog, openOperationLog } from '../../ops/operation-log.ts';
import type { AssetSyncResult } from '../../ops/publish-options.ts';
import { replicateFolders } from '../../ops/replicate-folders.ts';
import type { ReplicateOptions } from '../../ops/replicate-options.ts';
import type { ReplicateResult } from '../../ops/sync-result.ts';
import { argument, type Call, type Command } from '../command.ts';
import { parseDuration } from '../durations.ts';
import { createErrorTeller } from '../error-teller.ts';
import { publishedText } from '../published-text.ts';
import { type ReplicaFlags, replicaFlags, replicaOptions } from '../replica-flags.ts';
import { checkFlags, parseReplicated } from '../replica-location.ts';
import { replicateText } from '../sync-text.ts';

interface Options extends ReplicaFlags {
  every?: number;
  scanEvery?: number;
  settle?: number;
  watch: boolean;
  requireEmpty?: boolean;
}

export const replicate: Command<undefined, Options> = {
  usage: 'replicate <source> <destination>',
  summary:
    'Have a folder be a replica of another one and stay one, until Ctrl-C: changes of the one are carried over, those of the other undone; one of the two may be gypsum:project/asset',
  example: 'gypsum replicate originals replica --every 500ms',
  flags: [
    {
      flags: '--every <time>',
      description: 'how often changes are looked for, such as 2s (default: 500ms; 10s for new versions of an asset)',
      parse: parseDuration,
    },
    {
      flags: '--scan-every <time>',
      description: 'how often all is read though the system tells of no change (default: 60s)',
      parse: parseDuration,
    },
    {
      flags: '--settle <time>',
      description: 'publish a folder to an asset when nothing has changed for so long (default: 30s)',
      parse: parseDuration,
    },
    { flags: '--no-watch', description: 'read all each time, and do not have the system tell of changes' },
    { flags: '--require-empty', description: 'refuse a destination that holds anything' },
    ...replicaFlags,
  ],
  async run(call) {
    const { every, scanEvery, settle, watch, requireEmpty, log: file, logFormat } = call.options;
    const what = parseReplicated(argument(call.args, 0), argument(call.args, 1));
    checkFlags(what, call.options);
    const log = file === undefined ? undefined : openOperationLog(file, logFormat);
    try {
      const all = {
        ...replicaOptions(call.options),
        ...tell(call, log),
        every: every ?? (what.from === 'asset' ? ASK_EVERY : EVERY),
        until: call.signal,
        watch,
        ...(scanEvery !== undefined && { scanEvery }),
        ...(settle !== undefined && { settle }),
        requireEmpty: requireEmpty === true,
        stateDir: stateDir(),
        ...(log !== undefined && { written: [log.path], onOperation: log.add, onFailure: log.fail }),
      };
      if (what.to === 'asset') await call.client().replicateToAsset(what.source, what.destination, all);
      else if (what.from === 'asset') await call.client().replicateFromAsset(what.source, what.destination, all);
      else await replicateFolders(what.source, what.destination, all);
      return undefined;
    } finally {
      log?.close();
    }
  },
  human: () => '',
};

/** Units: milliseconds */
const EVERY = 500;

/** Units: milliseconds. Each time is a request. */
const ASK_EVERY = 10_000;

/** Says what has changed, and what is wrong; the same once as long as it stays so. */
function tell({ print, warn, json, quiet, onEvent }: Call<Options>, log: OperationLog | undefined) {
  const errors = createErrorTeller((lines) => warn(`gypsum: ${lines}`));
  return {
    onResult(result: ReplicateResult | AssetSyncResult) {
      errors.reset();
      if (log !== undefined && !('operations' in result)) logPublished(log, result);
      if ('recovered' in result) for (const { path } of result.recovered) log?.note({ op: 'recovered', path });
      // Others may move it away.
      log?.close();
      if (json) print(JSON.stringify(result));
      else if (!quiet) print('operations' in result ? replicateText(result) : publishedText(result));
    },
    onError: errors.tell,
    // How far it is would be told again and again.
    onEvent(event: GypsumEvent) {
      if (event.type === 'damaged' || event.type === 'upload-abandoned') onEvent(event);
    },
    onUnwatched: ({ message }: Error) =>
      warn(`gypsum: The system does not tell of changes: all is read each time. (${showText(message)})`),
    onSetAside: (path: string) =>
      warn(`gypsum: What was remembered of the two is of no use, and is in ${showText(path)} now: all is read once.`),
  } satisfies Partial<ReplicateOptions>;
}
