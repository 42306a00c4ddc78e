import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import type { Command } from '../command.ts';

interface Options {
  site?: boolean;
}

export const cachePath: Command<string, Options> = {
  usage: 'path',
  summary: 'Print the folder of the cache',
  example: 'gypsum cache path',
  flags: [{ flags: '--site', description: 'that of the site cache, which is looked into first' }],
  async run({ client, options }) {
    const { cache, site } = client().context;
    if (options.site !== true) return cache.layout.root;
    if (site !== undefined) return site.layout.root;
    throw new GypsumError('invalid-argument', 'No site cache is set.', {
      hint: 'Give one: --site-cache FOLDER, GYPSUM_SITE_CACHE, or "gypsum config set siteCache FOLDER".',
    });
  },
  human: showText,
};
