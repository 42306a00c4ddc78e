import prettyBytes from 'pretty-bytes';
import { GypsumError } from '../../errors.ts';
import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { CacheProblem } from '../../ops/cache-problems.ts';
import type { CacheVerified } from '../../ops/verify-cache.ts';
import { parseCacheScope } from '../cache-scope.ts';
import type { Command } from '../command.ts';
import { count } from '../text.ts';

interface Options {
  deep?: boolean;
  repair?: boolean;
}

export const cacheVerify: Command<CacheVerified, Options> = {
  usage: 'verify [project[/asset[/version]]|folder...]',
  summary: 'Compare the cache with what it must hold; it may be in use',
  example: 'gypsum cache verify --repair',
  flags: [
    { flags: '--deep', description: 'read every file again, also what was not touched since it was verified' },
    { flags: '--repair', description: 'fetch again what is wrong or missing; what stands in its place is moved aside' },
  ],
  run: ({ args, client, options, signal, onEvent, print, json }) =>
    client().verifyCache(args.map(parseCacheScope), {
      ...options,
      signal,
      onEvent,
      onProblem: (problem) => {
        if (!json) print(problemText(problem));
      },
    }),
  check({ problems }, { client, options }) {
    const open = problems.filter(({ repaired }) => repaired !== true);
    if (open.length === 0) return;
    const root = showText(client().context.cache.layout.root);
    throw new GypsumError('wrong-content', `${count(open.length, 'problem')} found in ${root}.`, {
      hint: options.repair
        ? 'What could not be repaired says why.'
        : 'Repair it with "gypsum cache verify --repair": nothing is thrown away.',
      details: { problems: open.length },
    });
  },
  human({ versions, files, bytes, unknown, problems }) {
    const repaired = problems.filter((problem) => problem.repaired).length;
    return [
      ...unknown.map((ref) => `unknown  ${formatRef(ref)}: the cache has no manifest of it`),
      `${count(versions, 'version')} with ${count(files, 'file')} (${prettyBytes(bytes)}), ${count(problems.length, 'problem')}${repaired > 0 ? `, ${repaired.toLocaleString('en')} repaired` : ''}`,
    ].join('\n');
  },
};

function problemText({ fault, path, message, clones = [], movedTo, repaired, reason }: CacheProblem): string {
  const parts = [
    `${fault}  ${showText(path)} ${showText(message)}`,
    ...(clones.length > 0 ? [`it is ${clones.map(showText).join(' and ')}`] : []),
    ...(movedTo === undefined ? [] : [`moved to ${showText(movedTo)}`]),
    ...(repaired === true ? ['repaired'] : []),
    ...(repaired === false ? [`not repaired: ${showText(reason ?? '')}`] : []),
  ];
  return parts.join('; ');
}
