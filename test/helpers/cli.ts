import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export interface Running {
  readonly child: ChildProcess;
  /** Gives the next line of standard output. */
  line(): Promise<string>;
  /** Gives what was written to standard error so far. */
  stderr(): string;
  /** Waits for the end; a signal stands in place of a code. */
  end(): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }>;
}

export interface StartOptions {
  cwd?: string;
  /** It leads a group of processes of its own, as in a terminal. @default false */
  detached?: boolean;
  /** Words before the command, such as those of `withoutPrivileges`. */
  prefix?: readonly string[];
  /** Options of Node itself. */
  node?: readonly string[];
  /** A shell script that prepares the ground and then runs `"$@"`, in a mount namespace of its own. */
  inNamespace?: string;
}

/** Starts the built command as a process, with an environment of its own; it does not outlive the test. */
export function startCli(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  { node = [], prefix = [], inNamespace, ...options }: StartOptions = {},
): Running {
  if (!existsSync(MAIN)) throw new Error('The command is not built: "npm run build" first.');
  const command = [...prefix, process.execPath, ...node, MAIN, ...argv];
  const [program = '', ...words] =
    inNamespace === undefined ? command : ['unshare', '-rm', 'sh', '-euc', inNamespace, 'sh', ...command];
  const stateDir = mkdtempSync(join(tmpdir(), 'gypsum-state-'));
  onTestFinished(() => rmSync(stateDir, { recursive: true, force: true }));
  const child = spawn(program, words, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', GYPSUM_STATE_DIR: stateDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  let taken = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  return {
    child,
    stderr: () => stderr,
    async line() {
      for (;;) {
        const end = stdout.indexOf('\n', taken);
        if (end !== -1) {
          const line = stdout.slice(taken, end);
          taken = end + 1;
          return line;
        }
        if (child.exitCode !== null) throw new Error(`It ended without another line: ${stderr}`);
        await Promise.race([once(child.stdout, 'data'), ended]);
      }
    },
    async end() {
      const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
      return { code: code ?? signal ?? Number.NaN, stdout, stderr };
    },
  };
}
