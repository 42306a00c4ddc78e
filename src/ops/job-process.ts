import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { showText } from '../model/text.ts';

/** How a job's process is started. */
export interface JobProcessOptions {
  /** The program and its arguments. No shell reads them. */
  readonly command: readonly string[];
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface JobProcess {
  /** Missing where it could not be started. */
  readonly child?: ChildProcess;
  /** Never rejects: what went wrong is the message. */
  readonly ended: Promise<{ readonly exitCode?: number; readonly message?: string }>;
}

/** Units: characters. What is kept of what a job said. */
const LONGEST_MESSAGE = 500;

/** Consoles of Windows tell all that run in them of Ctrl-C, and there is no other way to ask a process to stop. */
const canBeAsked = process.platform !== 'win32';

/** Starts a process of its own for a job, which a Ctrl-C at our terminal does not reach: we pass it on, once. */
export function startJobProcess({ command, directory, environment, onLine }: JobProcessOptions): JobProcess {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    return { ended: Promise.resolve({ message: `The folder ${showText(directory)} is not there.` }) };
  }
  const [program = '', ...words] = command;
  const child = spawn(program, words, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: canBeAsked,
    windowsHide: true,
  });
  const last: { stdout?: string; stderr?: string; error?: string } = {};
  const take = (stream: 'stdout' | 'stderr', from: Readable) => {
    createInterface({ input: from, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      if (line.trim() !== '') last[stream] = line;
      if (line.startsWith('gypsum: ')) last.error = line;
      onLine(stream, line);
    });
  };
  take('stdout', child.stdout);
  take('stderr', child.stderr);
  const ended = new Promise<Awaited<JobProcess['ended']>>((resolve) => {
    child.once('error', (error) => resolve({ message: error.message }));
    child.once('close', (code, signal) => {
      const said = code === 0 ? last.stdout : (last.error ?? last.stderr ?? last.stdout);
      const message = said ?? (signal === null ? undefined : `It was ended by ${signal}.`);
      resolve({
        ...(code !== null && { exitCode: code }),
        ...(message !== undefined && { message: message.slice(0, LONGEST_MESSAGE) }),
      });
    });
  });
  return { child, ended };
}

/** Asks a process to finish what it has in hand, and to end. */
export function askToStop(child: ChildProcess): void {
  if (canBeAsked) child.kill('SIGTERM');
}
