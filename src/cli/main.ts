#!/usr/bin/env node
import { constants } from 'node:os';
import { terminalOf } from './progress-terminal.ts';

const interruption = new AbortController();

/** Why everything stops: the user, or whoever manages the process, wants it to. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`Interrupted by ${signal}.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    const reason = new Interrupted(signal);
    // The first one lets the work end well, the second one ends it.
    if (interruption.signal.aborted) process.exit(reason.exitCode);
    interruption.abort(reason);
  });
}

// Whoever read our output has read enough: `gypsum files REF | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Shells ask at every press of a key: nothing but what answers them is loaded.
if (process.argv[2] === '__complete') {
  const { printCandidates } = await import('./complete.ts');
  await printCandidates(process.argv.slice(3), (text) => process.stdout.write(text));
} else {
  const { runCli } = await import('./run-cli.ts');
  process.exitCode = await runCli(process.argv.slice(2), {
    signal: interruption.signal,
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    terminal: terminalOf(process.stderr, process.env),
  });
}
