import type { RemovedFromCache } from '../../ops/remove-cached.ts';
import { parseCacheScope } from '../cache-scope.ts';
import type { Command } from '../command.ts';
import { removalText } from '../removal-text.ts';

interface Options {
  force?: boolean;
  dryRun?: boolean;
}

export const cacheRm: Command<RemovedFromCache, Options> = {
  usage: 'rm <project[/asset[/version]]|folder...>',
  summary: 'Remove versions from the cache; the registry keeps them',
  example: 'gypsum cache rm my-project/my-asset/v1',
  flags: [
    { flags: '--force', description: 'also what a clone needs: its links dangle until the version is saved again' },
    { flags: '--dry-run', description: 'say what would go, and remove nothing' },
  ],
  run: ({ args, client, options, signal, onEvent }) =>
    client().removeCached(args.map(parseCacheScope), { ...options, signal, onEvent }),
  human: removalText,
};
