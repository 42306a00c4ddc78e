import prettyBytes from 'pretty-bytes';
import { formatScope } from '../../model/refs.ts';
import type { CacheUsage } from '../../ops/measure-cache.ts';
import { parseCacheScope } from '../cache-scope.ts';
import type { Command } from '../command.ts';
import { table } from '../table.ts';

export const cacheDu: Command<CacheUsage> = {
  usage: 'du [project[/asset[/version]]|folder...]',
  summary: 'Measure the cache: files of equal content take space once',
  example: 'gypsum cache du',
  run: ({ args, client, signal, onEvent }) => client().measureCache(args.map(parseCacheScope), { signal, onEvent }),
  human({ usage, stored, unused, damaged, trash, incoming }) {
    const rows = usage.map(({ files, bytes, stored: taken, own, ...scope }) => [
      formatScope(scope),
      files.toLocaleString('en'),
      ...[bytes, taken, own].map((size) => prettyBytes(size)),
    ]);
    const sums = {
      'all contents': stored,
      'of no version': unused,
      'moved aside': damaged,
      'in the trash': trash,
      incoming,
    };
    const shown = Object.entries(sums).filter(([name, size]) => size > 0 || name === 'all contents');
    return [
      ...(rows.length === 0 ? [] : [table(['', 'files', 'size', 'on disk', 'only here'], rows, [1, 2, 3, 4])]),
      shown.map(([name, size]) => `${name}: ${prettyBytes(size)}`).join(', '),
    ].join('\n');
  },
};
