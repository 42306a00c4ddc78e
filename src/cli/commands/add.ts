import { parseTreeRef } from '../../model/refs.ts';
import type { AddOptions, AddSource } from '../../ops/add-file.ts';
import type { ChangedTree } from '../../ops/publish-tree.ts';
import { argument, type Command } from '../command.ts';
import { isLocal } from '../is-local.ts';
import { type ChangeFlags, changeFlags, type Foreseen, showChanged } from '../tree-changes.ts';

type Options = ChangeFlags & Pick<AddOptions, 'force' | 'followLinks'>;

export const add: Command<Foreseen<ChangedTree>, Options> = {
  usage: 'add <file> <project/asset[/version][:/path]>',
  summary:
    'Publish one more file, as a change of the latest version: a local one, "-" for standard input, or one of a version as project/asset[/version]:/path',
  example: 'gypsum add notes.txt my-project/my-asset:/docs/',
  flags: [
    { flags: '--force', description: 'replace a file or symlink that is there' },
    { flags: '--follow-links', description: 'of a local symlink, add what it leads to' },
    ...changeFlags,
  ],
  async run({ args, client, options, signal, onEvent }) {
    const { path, ...ref } = parseTreeRef(argument(args, 1));
    const done = await client().addFile(ref, readSource(argument(args, 0)), { ...options, path, signal, onEvent });
    return options.dryRun ? { ...done, dryRun: true } : done;
  },
  human: showChanged,
};

function readSource(text: string): AddSource {
  if (text === '-') return { stream: process.stdin };
  if (isLocal(text) || !text.includes(':/')) return { file: text };
  const { path, ...ref } = parseTreeRef(text);
  return { ref, path };
}
