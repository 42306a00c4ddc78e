// The command as a process, from its begin to its end.
import { call } from './bare.mjs';
import { MAIN } from './servers.mjs';

const cases = { 'start-version': ['--version'], 'start-help': ['clone', '--help'] };

export const STARTING = Object.entries(cases).map(([name, words]) => ({
  name,
  what: `gypsum ${words.join(' ')}; node -e 0`,
  times: 10,
  target: 1.6,
  ours: () => call(process.execPath, [MAIN, ...words]),
  yardstick: () => call(process.execPath, ['-e', '0']),
}));
