import { removeLogin } from '../../config/logins.ts';
import { configFromEnvironment, tokenFromEnvironment, userFiles } from '../../config.ts';
import { showText } from '../../model/text.ts';
import type { Command } from '../command.ts';

interface LogoutResult {
  readonly registry: string;
  /** Whether there was a login. */
  readonly removed: boolean;
  /** Where a token still comes from. */
  readonly remaining?: 'GYPSUM_TOKEN';
}

export const logout: Command<LogoutResult> = {
  usage: 'logout',
  summary: 'Forget the token of the login at the registry',
  example: 'gypsum logout',
  async run({ flags }) {
    // A given token, so that a file of logins is not read for one.
    const { url } = configFromEnvironment({ ...flags, token: '' });
    const removed = removeLogin(userFiles().logins, url);
    return { registry: url, removed, ...(tokenFromEnvironment() !== undefined && { remaining: 'GYPSUM_TOKEN' }) };
  },
  human({ registry, removed, remaining }) {
    const done = `${removed ? 'Logged out of' : 'There was no login at'} ${showText(registry)}.`;
    return remaining === undefined ? done : `${done}\n${remaining} is set, and is used as before.`;
  },
};
