import prettyBytes from 'pretty-bytes';
import { formatRef, parseRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { History, HistoryEntry } from '../../ops/list-history.ts';
import { argument, type Command } from '../command.ts';
import { parseCount } from '../parse-count.ts';
import { showCount, showCounts } from '../show-changes.ts';
import { count } from '../text.ts';

export const log: Command<History, { limit?: number }> = {
  usage: 'log <project/asset[/version]>',
  summary: 'Show the versions of an asset, newest first or from one on: when, by whom, and what each changed',
  example: 'gypsum log my-project/my-asset',
  flags: [{ flags: '--limit <number>', description: 'how many versions are shown', parse: parseCount }],
  run: ({ args, client, options, signal, onEvent }) =>
    client().listHistory(parseRef(argument(args, 0)), { ...options, signal, onEvent }),
  human: ({ versions, older, ...asset }) =>
    [
      ...versions.map((entry) => showEntry(entry, formatRef({ ...asset, version: entry.version }))),
      ...(older > 0 ? [`${count(older, 'older version')} not shown.`] : []),
    ].join('\n'),
};

function showEntry(entry: HistoryEntry, name: string): string {
  const { state, isLatest, uploadUserId, uploadStart, uploadFinish, total, since, changes, fault } = entry;
  const marks = [...(isLatest ? ['latest'] : []), ...(state === 'official' ? [] : [STATES[state]])];
  const date = uploadFinish ?? uploadStart;
  const lines = [
    [
      name + (marks.length > 0 ? ` (${marks.join(', ')})` : ''),
      ...(date === undefined ? [] : [date.toISOString()]),
      ...(uploadUserId === undefined ? [] : [showText(uploadUserId)]),
      ...(total === undefined ? [] : [`${showCount(total)}, ${prettyBytes(total.bytes)}`]),
    ].join('  '),
  ];
  if (changes !== undefined) {
    lines.push(`  ${since === undefined ? 'the first' : `since ${showText(since)}`}: ${showCounts(changes)}`);
  }
  if (fault !== undefined) lines.push(`  cannot be read: ${fault}`);
  return lines.join('\n');
}

const STATES: Readonly<Record<Exclude<HistoryEntry['state'], 'official'>, string>> = {
  probation: 'on probation',
  unfinished: 'not finished',
  unknown: 'unknown',
};
