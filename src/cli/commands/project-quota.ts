import { InvalidArgumentError } from 'commander';
import prettyBytes from 'pretty-bytes';
import type { QuotaNow } from '../../ops/quota.ts';
import { argument, type Command } from '../command.ts';
import { parseSize } from '../sizes.ts';

interface Options {
  baseline?: number;
  growthRate?: number;
  year?: number;
}

export const projectQuota: Command<QuotaNow & { project: string }, Options> = {
  usage: 'quota <project>',
  summary: 'Show how much a project may store, or change it (administrators only)',
  example: 'gypsum project quota my-project --baseline 100GB --growth-rate 20GB',
  flags: [
    { flags: '--baseline <size>', description: 'what it may store in the first year, such as 100GB', parse: parseSize },
    { flags: '--growth-rate <size>', description: 'what is added with each year after it', parse: parseSize },
    { flags: '--year <year>', description: 'the first year', parse: parseYear },
  ],
  async run({ args, options, client, signal, onEvent }) {
    const project = argument(args, 0);
    const { baseline, growthRate, year } = options;
    const change = {
      ...(baseline !== undefined && { baseline }),
      ...(growthRate !== undefined && { growthRate }),
      ...(year !== undefined && { year }),
    };
    if (Object.keys(change).length > 0) await client().setQuota(project, { ...change, signal, onEvent });
    return { project, ...(await client().fetchQuota(project, { signal, onEvent })) };
  },
  human: ({ baseline, growthRate, year, allowed }) =>
    `${prettyBytes(baseline)} in ${year}, and ${prettyBytes(growthRate)} more with each year: now ${prettyBytes(allowed)}`,
};

interface Usage {
  readonly project: string;
  /** Units: bytes */
  readonly used: number;
  readonly allowed: number;
}

export const projectUsage: Command<Usage> = {
  usage: 'usage <project>',
  summary: 'Show how much a project stores, and how much it may',
  example: 'gypsum project usage my-project',
  async run({ args, client, signal, onEvent }) {
    const project = argument(args, 0);
    const used = await client().fetchUsage(project, { signal, onEvent });
    const { allowed } = await client().fetchQuota(project, { signal, onEvent });
    return { project, used, allowed };
  },
  human({ used, allowed }) {
    const share = allowed > 0 ? ` (${((used / allowed) * 100).toFixed(1)}%)` : '';
    return `${prettyBytes(used)} of ${prettyBytes(allowed)}${share}`;
  },
};

function parseYear(text: string): number {
  if (/^\d{4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a year such as 2026.');
}
