import { resolve } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { defaultDataDir } from '../../config.ts';
import { showText } from '../../model/text.ts';
import { type BackedUp, backupFolder } from '../../server/index.ts';
import { argument, type Command } from '../command.ts';
import { dataFlag } from '../data-flag.ts';
import { count } from '../text.ts';

interface Result extends BackedUp {
  readonly data: string;
  readonly destination: string;
  readonly pruned: boolean;
}

export const registryBackup: Command<Result, { data?: string; prune?: boolean }> = {
  usage: 'backup <folder>',
  summary: 'Copy what is new in a registry on this machine to another folder; it may be running',
  local: true,
  example: 'gypsum registry backup my-backup --data my-registry',
  flags: [dataFlag, { flags: '--prune', description: 'remove from the copy what the registry does not have any more' }],
  async run({ args, options, signal, onEvent }) {
    const data = resolve(options.data ?? defaultDataDir());
    const destination = resolve(argument(args, 0));
    const { prune = false } = options;
    let versions = 0;
    const done = await backupFolder(data, destination, {
      prune,
      signal,
      onVersion(of) {
        versions++;
        onEvent({ type: 'start', task: 'backup', ...of });
      },
      onFile: (bytes) => onEvent({ type: 'progress', task: 'backup', files: 1, bytes }),
    });
    for (; versions > 0; versions--) onEvent({ type: 'end', task: 'backup' });
    return { data, destination, ...done, pruned: prune };
  },
  human({ destination, versions, objects, bytes, gone, pruned }) {
    const copied = `Copied ${count(objects, 'object')} (${prettyBytes(bytes)}) of ${count(versions, 'new version')} to ${showText(destination)}.`;
    if (gone === 0) return copied;
    const rest = `${count(gone, 'object')} that the registry does not have any more`;
    return `${copied}\n${pruned ? `Removed ${rest}.` : `Kept ${rest}; --prune removes them.`}`;
  },
};
