import { resolve } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { defaultDataDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import { type BackedUp, backupFolder } from '../../server/index.ts';
import { argument, type Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { dataFlag } from '../data-flag.ts';
import { count } from '../text.ts';

interface Result extends BackedUp {
  readonly data: string;
  readonly destination: string;
}

export const registryBackup: Command<Result, { data?: string; prune?: boolean; yes?: boolean }> = {
  usage: 'backup <folder>',
  summary: 'Copy what is new in a registry on this machine to another folder; it may be running',
  local: true,
  example: 'gypsum registry backup my-backup --data my-registry',
  flags: [
    dataFlag,
    { flags: '--prune', description: 'remove from the copy what the registry does not have any more' },
    { flags: '--yes', description: 'do not ask before more than a third of the copy is removed' },
  ],
  async run({ args, options, signal, onEvent }) {
    const data = resolve(options.data ?? defaultDataDir());
    const destination = resolve(argument(args, 0));
    const { prune = false, yes } = options;
    let versions = 0;
    const done = await backupFolder(data, destination, {
      prune,
      confirmPrune: ({ gone, objects }) =>
        confirm(
          argument(args, 0),
          `The registry does not have ${gone.toLocaleString('en')} of the ${count(objects, 'object')} in ${showText(destination)} any more, and --prune removes them.`,
          { yes, signal },
        ),
      signal,
      onVersion(of) {
        versions++;
        onEvent({ type: 'start', task: 'backup', ...of });
      },
      onFile: (bytes) => onEvent({ type: 'progress', task: 'backup', files: 1, bytes }),
    });
    for (; versions > 0; versions--) onEvent({ type: 'end', task: 'backup' });
    return { data, destination, ...done };
  },
  check({ data, problems }) {
    if (problems.length === 0) return;
    throw new GypsumError('wrong-content', `${count(problems.length, 'problem')} found in ${data}.`, {
      hint: 'What is sound was copied, and nothing was removed. "gypsum registry verify" finds what else is damaged; docs/registry.md tells how files are brought back.',
      details: { data },
    });
  },
  human({ destination, versions, objects, bytes, gone, pruned, problems }) {
    const found = problems.map(({ key, fault, message }) => `${fault}  ${showText(key)} ${showText(message)}`);
    const copied = `Copied ${count(objects, 'object')} (${prettyBytes(bytes)}) of ${count(versions, 'new version')} to ${showText(destination)}.`;
    if (gone === 0) return [...found, copied].join('\n');
    const rest = `${count(gone, 'object')} that the registry does not have any more`;
    return [...found, copied, pruned ? `Removed ${rest}.` : `Kept ${rest}; --prune removes them.`].join('\n');
  },
};
