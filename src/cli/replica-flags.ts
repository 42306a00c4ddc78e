import { LOG_FORMATS, type LogFormat } from '../ops/operation-log.ts';
import type { SyncOptions } from '../ops/sync-options.ts';
import type { Flag } from './command.ts';

/** What the flags say of how a folder is replicated. */
export interface ReplicaFlags {
  readonly checksum?: boolean;
  readonly delete: boolean;
  readonly exclude?: readonly string[];
  readonly followLinks?: boolean;
  readonly force?: boolean;
  readonly log?: string;
  readonly logFormat: LogFormat;
  readonly fsync?: boolean;
}

/** The flags of commands that replicate a folder. */
export const replicaFlags: readonly Flag[] = [
  { flags: '--checksum', description: 'compare the contents of all files, whatever their times' },
  { flags: '--no-delete', description: 'remove nothing that the source does not have' },
  {
    flags: '--exclude <pattern>',
    description: 'neither copy nor remove this, as in .gitignore; may be given several times',
    many: true,
  },
  { flags: '--follow-links', description: 'take symlinks of the source for what they lead to' },
  { flags: '--force', description: 'also remove more than half of what the destination has' },
  { flags: '--log <file>', description: 'write each operation to the end of a file, a line each' },
  {
    flags: '--log-format <format>',
    description: 'what these lines are; JSON has sizes, too, and where things come from',
    choices: LOG_FORMATS,
    preset: 'text',
  },
  { flags: '--fsync', description: 'have each file on the disk before it takes its place' },
];

export function replicaOptions({ checksum, delete: remove, exclude, followLinks, force, fsync }: ReplicaFlags) {
  return {
    checksum: checksum === true,
    remove,
    followLinks: followLinks === true,
    force: force === true,
    durable: fsync === true,
    ...(exclude !== undefined && { exclude }),
  } satisfies SyncOptions;
}
