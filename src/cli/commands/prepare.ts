import prettyBytes from 'pretty-bytes';
import { GypsumError } from '../../errors.ts';
import { countFiles } from '../../model/count.ts';
import { formatFileRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { type RecordEntry, TREE_RECORD } from '../../model/tree-record.ts';
import { SYMLINK_RULES, type SymlinkRule } from '../../ops/kept-symlinks.ts';
import type { PreparedUpload } from '../../ops/prepare-directory-upload.ts';
import type { LinkRule } from '../../ops/read-folder.ts';
import { argument, type Command, type Flag } from '../command.ts';
import { count } from '../text.ts';

interface Options extends SymlinkOptions {
  links?: LinkRule;
}

/** What becomes of symlinks, as two flags say it. */
export interface SymlinkOptions {
  symlinks?: SymlinkRule;
  followLinks?: boolean;
}

export const linksFlag: Flag = {
  flags: '--links <rule>',
  description: 'what becomes of symlinks: links where possible, always, or never',
  choices: ['auto', 'always', 'never'],
};

export const symlinkFlags: readonly Flag[] = [
  {
    flags: '--symlinks <rule>',
    description: 'keep symlinks that do not lead into the cache, or follow them (default: keep where a tree record is)',
    choices: SYMLINK_RULES,
  },
  { flags: '--follow-links', description: 'the same as "--symlinks follow"' },
];

/** Gives what becomes of symlinks, or throws `invalid-argument` if two flags say two things. */
export function readSymlinkRule({ symlinks, followLinks = false }: SymlinkOptions): { symlinks?: SymlinkRule } {
  if (!followLinks) return symlinks === undefined ? {} : { symlinks };
  if (symlinks === undefined || symlinks === 'follow') return { symlinks: 'follow' };
  throw new GypsumError('invalid-argument', `"--follow-links" and "--symlinks ${symlinks}" contradict each other.`, {
    hint: 'Leave out one of them.',
  });
}

export const prepare: Command<PreparedUpload, Options> = {
  usage: 'prepare <folder>',
  summary: 'Show which files of a folder are real and which are links; "upload --dry-run" shows what would be sent',
  example: 'gypsum prepare my-folder',
  flags: [linksFlag, ...symlinkFlags],
  run({ args, client, options, signal, onEvent }) {
    const { links } = options;
    const rules = { ...(links !== undefined && { links }), ...readSymlinkRule(options) };
    return client().prepareDirectoryUpload(argument(args, 0), { ...rules, signal, onEvent });
  },
  human: (prepared) => [showPlan(prepared), ...showRecord(prepared)].join('\n'),
};

function showRecord({ record }: PreparedUpload): string[] {
  if (record === undefined) return [];
  const number = (type: RecordEntry['type']) => record.entries.filter((entry) => entry.type === type).length;
  return [`kept in ${TREE_RECORD}: ${count(number('symlink'), 'symlink')}, ${count(number('directory'), 'folder')}`];
}

/** Shows what would be sent and what linked, file by file, and in sum. */
export function showPlan({ files, links, ignored }: Pick<PreparedUpload, 'files' | 'links' | 'ignored'>): string {
  const sum = (entries: readonly { size: number }[]) => prettyBytes(countFiles(entries).bytes);
  const row = (what: string, size: number, path: string) =>
    `${what}  ${prettyBytes(size).padStart(9)}  ${showText(path)}`;
  return [
    ...files.map(({ path, size }) => row('send', size, path)),
    ...links.map(({ path, link, size }) => `${row('link', size, path)} -> ${formatFileRef(link)}`),
    `${count(files.length, 'file')} to send (${sum(files)}), ${links.length} to link (${sum(links)})`,
    ...(ignored === undefined ? [] : [`left out by .gypsumignore: ${ignored}`]),
  ].join('\n');
}
