import { sep } from 'node:path';
import { GypsumError } from '../../errors.ts';
import { formatRef, parseVersionRef, type VersionRef } from '../../model/refs.ts';
import { showList, showText } from '../../model/text.ts';
import type { RelinkResult } from '../../ops/relink-clone.ts';
import type { RelinkedClones } from '../../ops/relink-clones.ts';
import type { Command } from '../command.ts';
import { count } from '../text.ts';

interface Options {
  all?: boolean;
  as?: VersionRef;
  dryRun?: boolean;
}

export const relink: Command<RelinkedClones & { readonly dryRun: boolean }, Options> = {
  usage: 'relink [folder...]',
  summary:
    'Mend clones after they or the cache were moved: links lead into the cache again, unchanged copies are known again',
  example: 'gypsum relink my-clone',
  flags: [
    { flags: '--all', description: 'every clone that the cache knows of' },
    {
      flags: '--as <ref>',
      description: 'the version that the folder is a clone of, where nothing else says it',
      parse: parseVersionRef,
    },
    { flags: '--dry-run', description: 'show which links would be changed, and do nothing' },
  ],
  async run({ args, client, options, signal, onEvent }) {
    const { all = false, as, dryRun = false } = options;
    if (all && (args.length > 0 || as !== undefined)) {
      throw new GypsumError('invalid-argument', '--all goes with neither folders nor --as.', {
        hint: 'Give either folders, or --all.',
      });
    }
    const call = { dryRun, signal, onEvent };
    if (all) return { ...(await client().relinkClones(call)), dryRun };
    const clones: RelinkResult[] = [];
    for (const folder of args.length === 0 ? ['.'] : args) {
      clones.push(await client().relinkClone(folder, { ...call, ...(as !== undefined && { as }) }));
    }
    return { clones, skipped: [], dryRun };
  },
  human: ({ clones, skipped, dryRun }) =>
    [
      ...clones.flatMap((clone) => showClone(clone, dryRun)),
      ...skipped.map(({ destination, why }) => `${showText(destination)}: left as it is. ${why}`),
    ].join('\n'),
};

function showClone(
  { destination, mode, links, elsewhere, unchanged, movedFrom, ...ref }: RelinkResult,
  dryRun: boolean,
): string[] {
  const moved = movedFrom === undefined ? '' : `, moved from ${showText(movedFrom)}`;
  const changed = `${count(links.length, 'link')} ${dryRun ? 'to change' : 'changed'}`;
  return [
    `${showText(destination)} (${mode} clone of ${formatRef(ref)}${moved}): ${changed}, ${unchanged} as in versions.`,
    ...(dryRun ? showChanges(links) : []),
    ...elsewhere.map(
      ({ cache, links: others }) =>
        `  ${count(others, 'link')} left alone: ${showText(cache)} is there, which they lead into.`,
    ),
  ];
}

/** Shows links that would be changed: those in a line whose texts begin and will begin with the same folders. */
function showChanges(links: RelinkResult['links']): string[] {
  const groups = new Map<string, string[]>();
  for (const { path, before, target } of links) {
    const change = difference(before, target).map(showText).join(' -> ');
    groups.set(change, [...(groups.get(change) ?? []), path]);
  }
  return [...groups].map(([change, paths]) => `  ${change}: ${showList(paths)}`);
}

/** Gives two paths without the names at their end that both have. */
function difference(a: string, b: string): [string, string] {
  const [one, other] = [a.split(sep), b.split(sep)];
  while (one.length > 1 && one.at(-1) === other.at(-1)) {
    one.pop();
    other.pop();
  }
  return [one.join(sep), other.join(sep)];
}
