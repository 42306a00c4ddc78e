import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { stateDir } from '../../config.ts';
import { isGypsumError } from '../../errors.ts';
import { fsPath } from '../../model/local-path.ts';
import { checkReplicaFolders } from '../../ops/check-replica-folders.ts';
import { openLineLog } from '../../ops/line-log.ts';
import { replicateFolders } from '../../ops/replicate-folders.ts';
import { openLocalRepository } from '../../tree/local-repository.ts';
import { absolutePath, liesIn, realPath } from '../../tree/real-path.ts';
import type { Call, Command } from '../command.ts';
import { createDirsyncLog } from '../dirsync-log.ts';
import { createErrorTeller } from '../error-teller.ts';
import { isFolder } from '../is-folder.ts';

interface Options {
  adopt?: boolean;
}

/** Why it does not begin, as dirsync says it. */
interface Refused {
  readonly error: string;
  readonly exitCode: number;
}

export const compatDirsync: Command<Refused | undefined, Options> = {
  // What is missing is told in the words of dirsync.
  usage: 'dirsync [src_dir] [dest_dir] [logfile_path] [interval_ms]',
  summary:
    'Keep a folder a replica of another one until Ctrl-C, with the command line and the log of dirsync; see "gypsum replicate"',
  example: 'gypsum compat dirsync originals replica dirsync.log 500',
  local: true,
  flags: [{ flags: '--adopt', description: 'take a destination that is not empty, such as after a restart' }],
  async run(call) {
    const { args, options, warn } = call;
    const refused = check(args, options.adopt === true);
    if (refused !== undefined) {
      warn(refused.error);
      return refused;
    }
    await replicate(call);
    return undefined;
  },
  exitCode: (refused) => refused?.exitCode ?? 0,
  human: () => '',
};

async function replicate({ args, options, signal, print, warn, quiet }: Call<Options>): Promise<void> {
  const [source = '', destination = '', file = '', interval = ''] = args;
  const path = absolutePath(file);
  const lines = openLineLog(path);
  const replica = openLocalRepository(realPath(destination));
  const log = createDirsyncLog(replica, (line) => {
    lines.add(line);
    if (!quiet) print(line);
  });
  const errors = createErrorTeller((text) => warn(`dirsync.py: error: ${text}`));
  try {
    await replicateFolders(source, destination, {
      every: Number(interval),
      until: signal,
      force: true,
      requireEmpty: options.adopt !== true,
      written: [path],
      stateDir: stateDir(),
      onOperation: log.add,
      onFailure: log.fail,
      onResult() {
        errors.reset();
        lines.close();
      },
      onError: errors.tell,
    });
  } finally {
    replica.close();
    lines.close();
  }
}

const USAGE = 'usage: dirsync.py [-h] src_dir dest_dir logfile_path interval_ms';

/** In the order of dirsync; nothing is written. */
function check(args: readonly string[], mayAdopt: boolean): Refused | undefined {
  const [source, destination, file, interval] = args;
  const refuse = (why: string, exitCode = 1, usage = '') => ({ error: `${usage}dirsync.py: error: ${why}`, exitCode });
  const missing = ['src_dir', 'dest_dir', 'logfile_path', 'interval_ms'].slice(args.length);
  if (source === undefined || destination === undefined || file === undefined || interval === undefined) {
    return refuse(`the following arguments are required: ${missing.join(', ')}`, 2, `${USAGE}\n`);
  }
  if (!/^\s*[+-]?\d+\s*$/.test(interval)) {
    return refuse(`argument interval_ms: invalid int value: '${interval}'`, 2, `${USAGE}\n`);
  }
  if (Number(interval) < 1) return refuse('interval_ms must be >= 1', 1, `${USAGE}\n`);
  const log = absolutePath(file);
  if (!isFolder(dirname(log)) || isFolder(log)) return refuse('could not open logfile');
  if (!isFolder(source)) return refuse('could not register src_repo');
  if (isIn(log, source)) return refuse('logfile inside src_repo currently unsupported');
  if (!isFolder(destination)) return refuse('could not register dest_repo');
  if (isIn(log, destination)) return refuse('logfile inside dest_repo will be overwritten on sync');
  try {
    checkReplicaFolders(source, destination);
  } catch (error) {
    if (isGypsumError(error)) return refuse(error.message);
    throw error;
  }
  if (!mayAdopt && readdirSync(fsPath(destination)).length > 0) return refuse('dest_repo is not empty');
  return undefined;
}

function isIn(file: string, folder: string): boolean {
  return liesIn(realPath(file), realPath(folder));
}
