import prettyBytes from 'pretty-bytes';
import type { FetchedFiles } from '../../ops/fetch-files.ts';
import type { Command } from '../command.ts';
import { filesAndBytes } from '../text.ts';

export const fetch: Command<FetchedFiles> = {
  usage: 'fetch <path...>',
  summary: 'Fetch what links of a clone lead to, such as what was left out: links, folders with links, or quoted globs',
  example: 'gypsum fetch my-clone/table.csv',
  run: ({ args, client, signal, onEvent }) => client().fetchFiles(args, { signal, onEvent }),
  human({ files, bytes, inSite, fetched, made }) {
    const there = inSite === undefined ? '' : `, of which the site cache has ${filesAndBytes(inSite)}`;
    return [
      `In the cache: ${filesAndBytes({ files, bytes })}${there}; fetched ${prettyBytes(fetched.bytes)}.`,
      ...(made === undefined ? [] : [`Made of links, as all else in the clone: ${filesAndBytes(made)}.`]),
    ].join('\n');
  },
};
