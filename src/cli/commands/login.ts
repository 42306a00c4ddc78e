import { setAccessToken } from '../../access-token.ts';
import { createClient } from '../../client.ts';
import { configFromEnvironment, tokenFromEnvironment } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import type { User } from '../../ops/who-am-i.ts';
import { parseRegistryUrl } from '../../registry/registry-url.ts';
import type { Call, Command } from '../command.ts';
import { ghToken } from '../gh-token.ts';
import { askSecret, canAsk, readSecret } from '../read-secret.ts';

interface Options {
  withToken?: boolean;
  gh?: boolean;
  device?: boolean;
  githubUrl?: string;
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
    { flags: '--gh', description: 'take the token of GitHub’s own command line (gh auth token)' },
    { flags: '--device', description: 'log in at GitHub, in a browser anywhere, by a code that is shown' },
    { flags: '--github-url <url>', description: 'GitHub, if it is not https://github.com' },
    { flags: '--no-verify', description: 'do not ask the registry whose token it is' },
  ],
  async run(call) {
    const { flags, options, signal, onEvent } = call;
    // A given token, so that a file of logins is not read for one.
    const { url } = configFromEnvironment({ ...flags, token: '' });
    const token = await obtainToken(call, url);
    const githubUrl = options.githubUrl && `${options.githubUrl.replace(/\/+$/, '')}/api/v3`;
    const verify = options.verify !== false;
    const user = await setAccessToken(token, { ...flags, verify, githubUrl, signal, onEvent });
    return { registry: url, ...user, ...(tokenFromEnvironment() !== undefined && { hiddenBy: 'GYPSUM_TOKEN' }) };
  },
  human({ registry, id, admin, hiddenBy }) {
    const who = id === undefined ? '' : ` as ${showText(id)}${admin === true ? ' (administrator)' : ''}`;
    const done = `Logged in to ${showText(registry)}${who}.`;
    return hiddenBy === undefined ? done : `${done}\n${hiddenBy} is set, and is used in place of this login.`;
  },
};

async function obtainToken(call: Call<Options>, url: string): Promise<string> {
  const token = (await sourceOf(call.options)(call, url)).trim();
  if (token !== '') return token;
  throw new GypsumError('invalid-argument', 'No token was given, and nothing has changed.', {
    hint: 'Run "gypsum login" again when you have one; the people who run the registry give them out.',
  });
}

type Source = (call: Call<Options>, url: string) => Promise<string>;

function sourceOf({ withToken, gh, device, githubUrl }: Options): Source {
  if ([withToken, gh, device].filter(Boolean).length > 1) {
    throw new GypsumError('invalid-argument', 'A token comes from one place only.', {
      hint: 'Give one of --with-token, --gh and --device.',
    });
  }
  if (gh) return ({ signal }) => ghToken(githubUrl && parseRegistryUrl(githubUrl, 'GitHub').host, signal);
  return device ? fromDevice : fromUser;
}

/** Without the token that there may be already: it is another one that is wanted. */
const fromDevice: Source = async ({ flags, options, signal, onEvent, warn }) => {
  const { token: _token, ...config } = configFromEnvironment({ ...flags, token: '' });
  const client = createClient(config);
  try {
    return await client.requestAccessToken({
      signal,
      onEvent,
      githubSite: options.githubUrl,
      onCode: ({ userCode, page }) => warn(`Open ${showText(page)} and enter the code ${showText(userCode)}`),
    });
  } finally {
    await client.close();
  }
};

const fromUser: Source = async ({ options, signal }, url) => {
  if (canAsk()) return askSecret(`Token for ${showText(url)}: `, signal);
  if (options.withToken) return readSecret(signal);
  throw new GypsumError('invalid-argument', 'There is no terminal to ask for the token.', {
    hint: 'Give it on standard input, "gypsum login --with-token < FILE", or leave the login out and set GYPSUM_TOKEN.',
  });
};
