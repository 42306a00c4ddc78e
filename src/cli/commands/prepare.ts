import prettyBytes from 'pretty-bytes';
import { countFiles } from '../../model/count.ts';
import { formatFileRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { PreparedUpload } from '../../ops/prepare-directory-upload.ts';
import type { LinkRule } from '../../ops/read-folder.ts';
import { argument, type Command, type Flag } from '../command.ts';
import { count } from '../text.ts';

interface Options {
  links?: LinkRule;
}

export const linksFlag: Flag = {
  flags: '--links <rule>',
  description: 'what becomes of symlinks: links where possible, always, or never',
  choices: ['auto', 'always', 'never'],
};

export const prepare: Command<PreparedUpload, Options> = {
  usage: 'prepare <folder>',
  summary: 'Show which files of a folder are real and which are links; "upload --dry-run" shows what would be sent',
  example: 'gypsum prepare my-folder',
  flags: [linksFlag],
  run: ({ args, client, options, signal, onEvent }) =>
    client().prepareDirectoryUpload(argument(args, 0), { ...options, signal, onEvent }),
  human: showPlan,
};

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
