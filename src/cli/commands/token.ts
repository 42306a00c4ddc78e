import { resolve } from 'node:path';
import { defaultDataDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import { addToken, listTokens, revokeExpired, revokeTokens, type TokenInfo } from '../../server/index.ts';
import { argument, type Command } from '../command.ts';
import { dataFlag } from '../data-flag.ts';
import { parseLater } from '../durations.ts';
import { count, day } from '../text.ts';

interface Data {
  data?: string;
}

/** Units: milliseconds */
const NEAR = 2 * 24 * 60 * 60 * 1000;

const folder = ({ data }: Data) => resolve(data ?? defaultDataDir());

export const tokenCreate: Command<TokenInfo & { token: string }, Data & { admin?: boolean; expires?: Date }> = {
  usage: 'create <name>',
  summary: 'Make a token for a user of a registry on this machine, and print it: it is shown only once',
  local: true,
  example: 'gypsum token create alice --expires 30d --data my-registry',
  flags: [
    { flags: '--admin', description: 'whoever has it is an administrator' },
    { flags: '--expires <when>', description: 'a date, or how long from now, such as 30d', parse: parseLater },
    dataFlag,
  ],
  async run({ args, options, warn, quiet, json }) {
    const added = await addToken(folder(options), argument(args, 0), {
      admin: options.admin === true,
      ...(options.expires !== undefined && { expiresAt: options.expires }),
    });
    if (!quiet && !json) warn(`This is the token of ${showText(added.name)}, which is shown only now:`);
    return added;
  },
  human: ({ token }) => token,
};

export const tokenList: Command<TokenInfo[], Data> = {
  usage: 'list',
  summary: 'List the tokens that a registry on this machine knows',
  local: true,
  example: 'gypsum token list --data my-registry',
  flags: [dataFlag],
  run: ({ options }) => listTokens(folder(options)),
  human(tokens) {
    const width = Math.max(...tokens.map(({ name }) => showText(name).length));
    return tokens
      .map(({ id, name, admin, createdAt, expiresAt }) => {
        const end = expiresAt === undefined ? '' : `, ${ending(expiresAt)}`;
        return `${id}  ${showText(name).padEnd(width)}  ${admin ? 'admin' : 'user '}  since ${day(createdAt)}${end}`;
      })
      .join('\n');
  },
};

export const tokenRevoke: Command<TokenInfo[], Data & { expired?: boolean }> = {
  usage: 'revoke [name]',
  summary: 'Forget all tokens of a user, or the one whose id is given instead, from the next request on',
  local: true,
  example: 'gypsum token revoke alice --data my-registry',
  flags: [{ flags: '--expired', description: 'forget those that have expired, whosever they are' }, dataFlag],
  async run({ args: [name], options }) {
    const { expired = false } = options;
    if (expired === (name !== undefined)) {
      throw new GypsumError('invalid-argument', 'Which tokens are to be forgotten is not clear.', {
        hint: 'Give a name, an id, or --expired.',
      });
    }
    return name === undefined ? revokeExpired(folder(options)) : revokeTokens(folder(options), name);
  },
  human: (revoked) =>
    revoked.length === 0
      ? 'No token has expired.'
      : `Revoked ${count(revoked.length, 'token')}: ${revoked.map(({ id, name }) => `${showText(name)} (${id})`).join(', ')}`,
};

/** Gives the day of an end, and the time too where that is near. */
function ending(date: Date): string {
  const isOver = date.getTime() <= Date.now();
  const isNear = Math.abs(date.getTime() - Date.now()) < NEAR;
  const when = isNear ? `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC` : day(date);
  return isOver ? `EXPIRED ${when}` : `until ${when}`;
}
