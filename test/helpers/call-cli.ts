import type { Io } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/run-cli.ts';

export interface Called {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, and gives what it has written where there is no terminal. */
export async function callCli(
  argv: readonly string[],
  {
    signal = new AbortController().signal,
    colors = false,
    onStdout,
  }: Partial<Pick<Io, 'signal' | 'colors'>> & { onStdout?: (text: string) => void } = {},
): Promise<Called> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(argv, {
    signal,
    colors,
    stdout(text) {
      stdout += text;
      onStdout?.(text);
    },
    stderr(text) {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}
