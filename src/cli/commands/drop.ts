import prettyBytes from 'pretty-bytes';
import type { DroppedFiles } from '../../ops/drop-files.ts';
import type { Command } from '../command.ts';
import { filesAndBytes } from '../text.ts';

interface Options {
  force?: boolean;
}

export const drop: Command<DroppedFiles, Options> = {
  usage: 'drop <path...>',
  summary: 'Let what links of a clone lead to go from the cache; the registry keeps it, and "fetch" brings it again',
  example: 'gypsum drop my-clone/table.csv',
  flags: [{ flags: '--force', description: 'also what another clone needs, or what was edited through its link' }],
  run: ({ args, client, options, signal, onEvent }) => client().dropFiles(args, { ...options, signal, onEvent }),
  human: ({ files, bytes, freed }) => `Dropped ${filesAndBytes({ files, bytes })}; freed ${prettyBytes(freed)}.`,
};
