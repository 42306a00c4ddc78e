import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';

/** Gives the token that GitHub's own command line has for whoever runs this process. */
export async function ghToken(host: string | undefined, signal: AbortSignal): Promise<string> {
  const words = ['auth', 'token', ...(host === undefined ? [] : ['--hostname', host])];
  try {
    return (await promisify(execFile)('gh', words, { signal })).stdout;
  } catch (error) {
    signal.throwIfAborted();
    if (isSystemError(error, 'ENOENT', 'EACCES')) {
      throw new GypsumError('invalid-argument', 'There is no command "gh" to ask for a token.', {
        hint: 'Install it (https://cli.github.com), or log in by "gypsum login --device" or with a token.',
        cause: error,
      });
    }
    if (!(error instanceof Error && 'stderr' in error)) throw error;
    const [said = ''] = String(error.stderr).trim().split('\n');
    throw new GypsumError('unauthorized', `"gh" has no token: ${showText(said).replace(/\.$/, '')}.`, {
      hint: 'Log in there first, with "gh auth login".',
      cause: error,
    });
  }
}
