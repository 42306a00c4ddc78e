import { setAccessToken } from '../../access-token.ts';
import { configFromEnvironment, tokenFromEnvironment } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import type { User } from '../../ops/who-am-i.ts';
import type { Call, Command } from '../command.ts';
import { askSecret, canAsk, readSecret } from '../read-secret.ts';

interface Options {
  withToken?: boolean;
  verify?: boolean;
}

interface LoginResult extends Partial<User> {
  readonly registry: string;
  /** What stands before the login as long as it is set. */
  readonly hiddenBy?: 'GYPSUM_TOKEN';
}

export const login: Command<LoginResult, Options> = {
  usage: 'login',
  summary: 'Check a token, and remember it for the registry',
  example: 'gypsum login --registry https://gypsum.artifactdb.com',
  flags: [
    { flags: '--with-token', description: 'read the token from standard input, also without a terminal' },
    { flags: '--no-verify', description: 'do not ask the registry whose token it is' },
  ],
  async run(call) {
    const { flags, options, signal, onEvent } = call;
    // A given token, so that a file of logins is not read for one.
    const { url } = configFromEnvironment({ ...flags, token: '' });
    const token = await obtainToken(call, url);
    const user = await setAccessToken(token, { ...flags, verify: options.verify !== false, signal, onEvent });
    return { registry: url, ...user, ...(tokenFromEnvironment() !== undefined && { hiddenBy: 'GYPSUM_TOKEN' }) };
  },
  human({ registry, id, admin, hiddenBy }) {
    const who = id === undefined ? '' : ` as ${showText(id)}${admin === true ? ' (administrator)' : ''}`;
    const done = `Logged in to ${showText(registry)}${who}.`;
    return hiddenBy === undefined ? done : `${done}\n${hiddenBy} is set, and is used in place of this login.`;
  },
};

async function obtainToken({ options, signal }: Call<Options>, url: string): Promise<string> {
  if (options.withToken !== true && !canAsk()) {
    throw new GypsumError('invalid-argument', 'There is no terminal to ask for the token.', {
      hint: 'Give it on standard input, "gypsum login --with-token < FILE", or leave the login out and set GYPSUM_TOKEN.',
    });
  }
  const text = canAsk() ? await askSecret(`Token for ${showText(url)}: `, signal) : await readSecret(signal);
  const token = text.trim();
  if (token !== '') return token;
  throw new GypsumError('invalid-argument', 'No token was given, and nothing has changed.', {
    hint: 'Run "gypsum login" again when you have one; the people who run the registry give them out.',
  });
}
