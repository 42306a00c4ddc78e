#!/usr/bin/env node
import { constants } from 'node:os';

/** The user, whoever manages the process, and a terminal that is closed. */
const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const interruption = new AbortController();

/** Why everything stops: the user, or whoever manages the process, wants it to. */
class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: (typeof STOPPING)[number]) {
    super(`Interrupted by ${signal}.`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

for (const signal of STOPPING) {
  process.on(signal, () => {
    const reason = new Interrupted(signal);
    // The first one lets the work end well, the second one ends it.
    if (interruption.signal.aborted) process.exit(reason.exitCode);
    interruption.abort(reason);
  });
}

// Whoever read what is printed has read enough (`gypsum files REF | head`): the work goes on and ends well.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const words = process.argv.slice(2);
// Shells ask at every press of a key, and scripts before they begin: nothing but what answers them is loaded.
if (words[0] === '__complete') {
  const { printCandidates } = await import('./complete.ts');
  await printCandidates(words.slice(1), (text) => process.stdout.write(text));
} else if (words.length === 1 && words[0] === '--version') {
  const { VERSION } = await import('../version.ts');
  process.stdout.write(`${VERSION}\n`);
} else {
  const { runCli } = await import('./run-cli.ts');
  // Node puts this where bytes are not UTF-8.
  const isWhole = !words.some((word) => word.includes('\ufffd'));
  const line = isWhole ? words : (await import('./read-arguments.ts')).readArguments(words);
  process.exitCode = await runCli(line, {
    signal: interruption.signal,
    async begin() {
      const { spareMemory } = await import('./spare-memory.ts');
      spareMemory();
    },
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    pipe: (chunk) => new Promise((resolve) => process.stdout.write(chunk, (error) => resolve(!error))),
    colors: process.stdout.isTTY && process.stdout.hasColors(),
    terminal: async () => {
      const { terminalOf } = await import('./progress-terminal.ts');
      return terminalOf(process.stderr, process.env);
    },
  });
}
