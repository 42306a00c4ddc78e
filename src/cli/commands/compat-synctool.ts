import { lstatSync, mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { stateDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { fsPath } from '../../model/local-path.ts';
import { showText } from '../../model/text.ts';
import { checkApart, checkReplicaFolders } from '../../ops/check-replica-folders.ts';
import { openLineLog } from '../../ops/line-log.ts';
import { checkLogPlace } from '../../ops/operation-log.ts';
import { repeat } from '../../ops/repeat.ts';
import { syncFolders } from '../../ops/sync-folders.ts';
import type { SyncResult } from '../../ops/sync-result.ts';
import { absolutePath } from '../../tree/real-path.ts';
import { checkReplicated } from '../check-replicated.ts';
import type { Call, Command } from '../command.ts';
import { parseInterval } from '../durations.ts';
import { isFolder } from '../is-folder.ts';
import { errorLines } from '../report.ts';
import { syncSum } from '../sync-text.ts';
import { createSynctoolLog, type SynctoolLog } from '../synctool-log.ts';

interface Options {
  source: string;
  destination: string;
  log: string;
  interval?: number;
  initialDelay?: boolean;
}

export const compatSynctool: Command<SyncResult | undefined, Options> = {
  usage: 'synctool',
  summary: 'Have a folder become what another one is, with the command line of synctool; see "gypsum sync"',
  example: 'gypsum compat synctool -s originals -d replica -l sync.log',
  local: true,
  flags: [
    { flags: '-s, --source <folder>', description: 'the folder that is replicated', preset: '' },
    { flags: '-d, --destination <folder>', description: 'the folder that becomes its replica', preset: '' },
    { flags: '-l, --log <file>', description: 'what lines are added to', preset: './log.txt' },
    {
      flags: '-i, --interval <minutes>',
      description: 'do it now, and then again and again, until Ctrl-C; fractions are fine',
      parse: parseInterval,
    },
    { flags: '--initial-delay', description: 'begin when the first interval has passed, as synctool does' },
  ],
  async run(call) {
    const { options, print, warn, json, quiet } = call;
    const path = absolutePath(options.log);
    checkPlaces(options, path);
    const isMade = await offerFolder(call);
    const lines = openLineLog(path);
    const log = createSynctoolLog(options, { add: lines.add, print: json || quiet ? () => {} : print, warn });
    try {
      if (isMade) log.madeDestination();
      if (options.interval === undefined) return await once(call, log, path);
      const run = async () => {
        const result = await once(call, log, path);
        lines.close();
        return result;
      };
      await again(call, options.interval, run);
      return undefined;
    } finally {
      lines.close();
    }
  },
  check: checkReplicated,
  human: (result) => (result === undefined ? '' : syncSum(result)),
};

async function once({ options, signal, onEvent }: Call<Options>, log: SynctoolLog, path: string): Promise<SyncResult> {
  const { source, destination, interval } = options;
  log.start();
  const result = await syncFolders(source, destination, {
    checksum: true,
    force: true,
    ...(interval === undefined ? { signal } : { until: signal }),
    onEvent,
    written: [path],
    stateDir: stateDir(),
    onOperation: log.add,
    onFailure: log.fail,
  });
  log.skip(result.skipped);
  log.finish();
  return result;
}

async function again(
  { options, signal, warn }: Call<Options>,
  every: number,
  run: () => Promise<SyncResult>,
): Promise<void> {
  await repeat(async () => (await run()).failures.length === 0, {
    every,
    isDelayed: options.initialDelay === true,
    until: signal,
    onError: (error) => warn(`gypsum: ${errorLines(error)}`),
  });
}

/** Throws before anything is made. */
function checkPlaces({ source, destination }: Options, log: string): void {
  if (!isFolder(source)) {
    throw new GypsumError('invalid-argument', `Folder not found at: ${showText(source)}`, {
      hint: 'Give a folder that is there with -s.',
      details: { source },
    });
  }
  checkLogPlace(log);
  checkApart(source, destination, [log]);
  // One that is not there can be made, with the folders above it.
  if (lstatSync(fsPath(destination), { throwIfNoEntry: false }) !== undefined) checkReplicaFolders(source, destination);
}

/** Makes a destination that is not there if the line that is read says so; says whether it did. */
async function offerFolder({ options: { destination }, signal, warn }: Call<Options>): Promise<boolean> {
  if (isFolder(destination)) return false;
  const shown = showText(destination);
  warn(`Folder doesn't exist at ${shown}.\n Enter Y to create a folder at destination`);
  if ((await readLine(signal)) !== 'Y') {
    throw new GypsumError('invalid-argument', `Create a folder at ${shown}`, { hint: 'Nothing was done.' });
  }
  mkdirSync(fsPath(destination), { recursive: true });
  return true;
}

/** Reads from wherever standard input comes; its end is an empty line. */
async function readLine(signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, signal });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    signal.throwIfAborted();
  }
}
