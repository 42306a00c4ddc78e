import { GypsumError } from '../../errors.ts';
import { formatRef, parseRef, type Ref } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { Diff, DiffSide } from '../../ops/diff.ts';
import type { Call, Command } from '../command.ts';
import { isLocal } from '../is-local.ts';
import { isChanged, showChange, showCount, showCounts } from '../show-changes.ts';
import { parseSize } from '../sizes.ts';
import { versionOf } from '../version-of.ts';

interface Options {
  stat?: boolean;
  patch?: boolean;
  maxText?: number;
  exitCode?: boolean;
}

/** With `--stat`, it is without the changes. */
type Shown = Omit<Diff, 'changes'> & Partial<Pick<Diff, 'changes'>>;

export const diff: Command<Shown, Options> = {
  usage: 'diff [project/asset[/version]|folder] [project/asset[/version]|folder]',
  summary:
    'Show how a clone differs from its version or another one, or how two versions or folders do; folders begin with ".", "/" or "~"',
  example: 'gypsum diff ./my-clone',
  flags: [
    { flags: '--stat', description: 'only how many files, symlinks and folders changed, and how large files are' },
    {
      flags: '--patch',
      description: 'show changes of text files line by line, and of programs and symlinks as git does',
    },
    {
      flags: '--max-text <size>',
      description: 'up to which size files are shown line by line (default: 1MiB)',
      parse: parseSize,
    },
    { flags: '--exit-code', description: 'exit with 1 if anything differs' },
  ],
  async run(call) {
    const { changes, ...rest } = await compare(call);
    return call.options.stat ? rest : { ...rest, changes };
  },
  human({ before, after, changes, counts, skipped }) {
    return [
      ...(changes ?? []).map(showChange),
      ...skipped.map(({ path, why }) => `skipped   ${showText(path)} ${why}`),
      `${showSide(before)} -> ${showSide(after)}: ${showCounts(counts)}, ${showCount(counts.unchanged)} unchanged.`,
    ].join('\n');
  },
  exitCode: ({ counts }, { options }) => (options.exitCode && isChanged(counts) ? 1 : 0),
};

async function compare(call: Call<Options>): Promise<Diff> {
  const { args, client, signal, onEvent } = call;
  const { stat, patch = false, maxText } = call.options;
  const options = { patch: patch && !stat, ...(maxText !== undefined && { maxText }), signal, onEvent };
  const [a = '.', b] = args;
  const refOf = (text: string) => versionOf(call, readRef(text));
  if (b === undefined) {
    return isLocal(a) ? client().diffClone(a, undefined, options) : client().diffClone('.', await refOf(a), options);
  }
  if (isLocal(a)) {
    if (isLocal(b)) return client().diffFolders(a, b, options);
    return client().diffClone(a, await refOf(b), { ...options, reverse: true });
  }
  const ref = await refOf(a);
  return isLocal(b) ? client().diffClone(b, ref, options) : client().diffVersions(ref, await refOf(b), options);
}

function readRef(text: string): Ref {
  if (text.includes('/')) return parseRef(text);
  throw new GypsumError('invalid-argument', `"${showText(text)}" is no ref, and no folder either.`, {
    hint: `Write a ref as project/asset or project/asset/version, and a folder so that it begins with ".", "/" or "~": ./${showText(text)}`,
  });
}

function showSide(side: DiffSide): string {
  return 'directory' in side ? showText(side.directory) : formatRef(side);
}
