import prettyBytes from 'pretty-bytes';
import type { PruneResult } from '../../ops/prune-cache.ts';
import { parseCacheScope } from '../cache-scope.ts';
import type { Command } from '../command.ts';
import { parseDuration } from '../durations.ts';
import { removalText } from '../removal-text.ts';
import { parseSize } from '../sizes.ts';

interface Options {
  olderThan?: number;
  unused?: boolean;
  maxSize?: number;
  forgetMissing?: boolean;
  damaged?: boolean;
  dryRun?: boolean;
}

export const cachePrune: Command<PruneResult, Options> = {
  usage: 'prune [project[/asset[/version]]|folder...]',
  summary: 'Free space: remove contents that no version has, and the versions that are chosen and no clone needs',
  example: 'gypsum cache prune --older-than 90d --dry-run',
  flags: [
    {
      flags: '--older-than <duration>',
      description: 'versions that were not used for so long, such as 90d',
      parse: parseDuration,
    },
    { flags: '--unused', description: 'all versions that no clone needs' },
    {
      flags: '--max-size <size>',
      description:
        'only as many as it takes to come down to this size, such as 50GB; those first that were used longest ago',
      parse: parseSize,
    },
    { flags: '--forget-missing', description: 'let go what is needed by clones alone that cannot be found' },
    { flags: '--damaged', description: 'remove what was moved aside, too: it may hold edits of yours' },
    { flags: '--dry-run', description: 'say what would go and what keeps what, and remove nothing' },
  ],
  run: ({ args, client, options, signal, onEvent }) =>
    client().pruneCache({ ...options, scopes: args.map(parseCacheScope), signal, onEvent }),
  human: (result) => `${removalText(result)} ${result.dryRun ? 'Would leave' : 'Left'}: ${prettyBytes(result.stored)}.`,
};
