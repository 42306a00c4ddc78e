import prettyBytes from 'pretty-bytes';
import { formatMode } from '../../model/modes.ts';
import { formatFileRef, formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { CloneStatus } from '../../ops/clone-status.ts';
import { CLONE_STATES, type ClonePath } from '../../ops/compare-clone.ts';
import type { Command } from '../command.ts';
import { count, filesAndBytes } from '../text.ts';

export const status: Command<CloneStatus> = {
  usage: 'status [folder]',
  summary: 'Show what of a clone differs from its version, and what publishing it would send',
  example: 'gypsum status my-clone',
  run: ({ args: [folder = '.'], client, signal, onEvent }) => client().cloneStatus(folder, { signal, onEvent }),
  human: (clone) => [showHead(clone), ...showEntries(clone), ...showSums(clone), ...showHints(clone)].join('\n'),
};

function showHead({ directory, mode, clean, states: { linked, dangling }, ...ref }: CloneStatus): string {
  const all = { files: linked.files + dangling.files, bytes: linked.bytes + dangling.bytes };
  const head = `${formatRef(ref)} in ${showText(directory)} (${mode} clone)`;
  return clean ? `${head}: clean, ${filesAndBytes(all)}` : head;
}

/** Gives a line for each entry, those of a state together. */
function showEntries({ states, entries, publishing: { refused } }: CloneStatus): string[] {
  const faults = new Map(refused.filter(({ kind }) => kind !== 'edited').map(({ path, why }) => [path, why]));
  // Where no file was fetched, nobody wants to have each of them named.
  const shown = CLONE_STATES.filter((state) => state !== 'dangling' || states.linked.files > 0);
  const lines = shown.flatMap((state) =>
    entries.filter((entry) => entry.state === state).map((entry) => showEntry(entry, faults.get(entry.path))),
  );
  for (const { path } of entries) faults.delete(path);
  return [...lines, ...[...faults].map(([path, why]) => `refused     ${showText(path)} ${why}`)];
}

function showEntry(entry: ClonePath, fault: string | undefined): string {
  const { path, type, state, size, from, link, target, mode } = entry;
  const rights = mode === undefined ? '' : ` (mode ${formatMode(mode)})`;
  const names = [
    ...(from === undefined ? [] : [showText(from)]),
    `${showText(path)}${type === 'directory' ? '/' : ''}${rights}`,
    ...(link === undefined ? [] : [formatFileRef(link)]),
    ...(target === undefined ? [] : [showText(target)]),
  ];
  const line = `${state.padEnd(10)}  ${prettyBytes(size).padStart(9)}  ${names.join(' -> ')}`;
  return fault === undefined ? line : `${line} (${fault})`;
}

function showSums({ clean, states, publishing: { send, link, refused }, ignored }: CloneStatus): string[] {
  const plan = `${filesAndBytes(send)} to send; ${filesAndBytes(link)} to link`;
  const differs = [
    `unchanged: ${filesAndBytes(states.linked)}`,
    `to publish: ${plan}${refused.length === 0 ? '' : `; refused: ${refused.length.toLocaleString('en')}`}`,
  ];
  return [...(clean ? [] : differs), ...(ignored === undefined ? [] : [`left out by .gypsumignore: ${ignored}`])];
}

/** Says what can be done about what hardly anybody wants to have. */
function showHints({
  directory,
  from,
  states: { edited, dangling },
  publishing: { refused },
  ...ref
}: CloneStatus): string[] {
  const folder = showText(directory);
  const files = (number: number) => `${count(number, 'file')} ${number === 1 ? 'is' : 'are'}`;
  const interrupted = `A checkout was interrupted. To finish it: gypsum checkout ${formatRef(ref)} ${folder}`;
  return [
    ...(from === undefined ? [] : [interrupted]),
    ...(dangling.files === 0 ? [] : [`${files(dangling.files)} not in the cache: gypsum fetch ${folder}`]),
    ...(edited.files === 0
      ? []
      : [
          `${files(edited.files)} edited in the cache, through a link: equal files of all versions are one there.`,
          `    To publish the edits, have them made files of this folder: gypsum upload --rescue ${folder}`,
          '    To keep one as a file without publishing it: gypsum stage --rescue FILE',
          '    If one is not wanted: gypsum restore --force FILE (it is kept until "gypsum cache prune")',
          '    One in a site cache comes anew with: gypsum fetch FILE',
        ]),
    ...(refused.some(({ kind }) => kind === 'astray') ? [`If the cache was moved: gypsum relink ${folder}`] : []),
  ];
}
