import { showText } from '../model/text.ts';
import type { LinkedFile, LinkResult, LinkState } from '../ops/link-plan.ts';
import { count } from './text.ts';

/** What is said of files in each state, in this order. */
const WORDS: Readonly<Record<LinkState, string>> = {
  linked: 'linked',
  'already-linked': 'already linked',
  same: 'equal',
  different: 'different',
  missing: 'missing',
  'type-differs': 'of another type',
  'broken-link': 'broken',
  alias: 'left alone',
  failed: 'failed',
};

/** Gives a line for each of some files: its state, its path, and why. */
export function showFiles(files: readonly LinkedFile[]): string[] {
  const width = Math.max(0, ...files.map(({ state }) => state.length));
  return files.map(({ path, state, message }) =>
    [state.padEnd(width), showText(path), ...(message === undefined ? [] : [`(${showText(message)})`])].join('  '),
  );
}

/** Sums up: `3 files: 2 linked, 1 different`. */
export function sumUp(counts: LinkResult['counts']): string {
  const states = Object.entries(WORDS).filter(([state]) => counts[state as LinkState] > 0);
  const sum = states.reduce((all, [state]) => all + counts[state as LinkState], 0);
  const parts = states.map(([state, word]) => `${counts[state as LinkState].toLocaleString('en')} ${word}`);
  return sum === 0 ? 'no files' : `${count(sum, 'file')}: ${parts.join(', ')}`;
}
