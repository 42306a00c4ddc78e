import { createClient } from './client.ts';
import { removeLogin, writeLogin } from './config/logins.ts';
import { type Config, configFromEnvironment, userFiles } from './config.ts';
import type { CallOptions } from './events.ts';
import type { User } from './ops/who-am-i.ts';

export interface SetAccessTokenOptions extends CallOptions, Partial<Omit<Config, 'token'>> {
  /** Ask whose token it is before it is kept. @default true */
  verify?: boolean;
  /** Where to ask, for a registry that leaves that to GitHub. @default 'https://api.github.com' */
  githubUrl?: string | undefined;
}

/**
 * Keeps a token as the login of whoever runs this process at a registry, and gives whose it is; without a token, the
 * login is forgotten. Throws `unauthorized` for a token that nobody knows: then the login is as it was.
 *
 * Like `accessToken`, which finds it again, it uses the user's own files, and nothing else does so without being told.
 */
export async function setAccessToken(
  token: string | undefined,
  { verify = true, githubUrl, signal, onEvent, ...settings }: SetAccessTokenOptions = {},
): Promise<User | undefined> {
  signal?.throwIfAborted();
  // A given token, so that a file of logins is not read for one.
  const config = configFromEnvironment({ ...settings, token: token ?? '' });
  const { logins } = userFiles();
  if (token === undefined) {
    removeLogin(logins, config.url);
    return undefined;
  }
  const client = createClient({ ...config, githubUrl });
  try {
    const user = verify ? await client.whoAmI({ signal, onEvent }) : undefined;
    writeLogin(logins, config.url, token);
    return user;
  } finally {
    await client.close();
  }
}
