import { showText } from '../../model/text.ts';
import type { Command } from '../command.ts';

export const cachePath: Command<string> = {
  usage: 'path',
  summary: 'Print the folder of the cache',
  example: 'gypsum cache path',
  run: async ({ client }) => client().context.cache.layout.root,
  human: showText,
};
