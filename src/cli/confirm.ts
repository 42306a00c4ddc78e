import { createInterface } from 'node:readline/promises';
import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import type { Flag } from './command.ts';
import { canAsk } from './read-secret.ts';

export const yesFlag: Flag = { flags: '--yes', description: 'do not ask for the name to be typed' };

/**
 * Has the name of what will go typed on the terminal, unless that was said to be right already. Throws
 * `invalid-argument` where another name is typed, and where nobody can be asked.
 */
export async function confirm(
  name: string,
  warning: string,
  { yes = false, signal }: { yes?: boolean | undefined; signal: AbortSignal },
): Promise<void> {
  if (yes) return;
  const shown = showText(name);
  if (!canAsk()) {
    throw new GypsumError('invalid-argument', `${warning} Nobody can be asked here whether that is meant.`, {
      hint: 'Add --yes if it is.',
      details: { name },
    });
  }
  process.stderr.write(`${warning}\n`);
  const typed = await ask(`Type ${shown} to go on: `, signal);
  if (typed.trim() === shown || typed.trim() === name) return;
  throw new GypsumError('invalid-argument', `Nothing was done: that is not "${shown}".`, { details: { name } });
}

/** Asks for a line on the terminal; the end of what is typed is an empty one. */
export async function ask(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  // The terminal hands the key to us while a line is read.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await Promise.race([lines.question(question, { signal }), ended]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    lines.close();
  }
}
