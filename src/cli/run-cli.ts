import { CommanderError } from 'commander';
import type { Io } from './io.ts';
import { parseLine } from './program.ts';

/** Units: exit code. What shells use for wrong options and arguments. */
const USAGE = 2;

/** Runs one command line and gives its exit code. */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  try {
    await parseLine(argv, { writeOut: io.stdout, writeErr: io.stderr }, async (called) => {
      // What only shows help loads nothing of what runs.
      const { runCommand } = await import('./run-command.ts');
      exitCode = await runCommand(called, io);
    });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    throw error;
  }
}
