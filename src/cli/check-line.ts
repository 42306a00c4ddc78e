import { CommanderError } from 'commander';
import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { type Called, parseLine } from './program.ts';

/**
 * Gives the command that a command line would call, and calls nothing; throws `invalid-argument` for one that would be
 * refused before it does anything, and for one that only shows help.
 */
export async function checkLine(argv: readonly string[]): Promise<Called> {
  let called: Called | undefined;
  try {
    const silent = { writeOut: () => {}, writeErr: () => {} };
    await parseLine(argv, silent, async (found) => {
      called = found;
    });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw refusedLine(error.message.replace(/^error: /, '').replaceAll('\n', ' '), error);
  }
  if (called === undefined) throw refusedLine('it only shows how it is used');
  return called;
}

function refusedLine(why: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-argument', `The command would be refused: ${showText(why).replace(/\.$/, '')}.`, {
    hint: 'Run it with --help to see how it is used.',
    cause,
  });
}
