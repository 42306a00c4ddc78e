import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { checkFolder, makeAdminToken } from './data-folder.ts';
import { createToken, readTokens, type TokenRecord, writeTokens } from './token-file.ts';

/** What may be told of a token; `id` is the beginning of its hash, and tells tokens of one name apart. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly admin: boolean;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
}

/** Lists the tokens that a registry in this folder knows. */
export async function listTokens(data: string): Promise<TokenInfo[]> {
  return (await knownTokens(data)).map(toInfo);
}

/**
 * Adds a token to those that the registry in this folder knows, from the next request on. Where there is no registry
 * yet, one begins with this folder, and with its administrator's token.
 */
export async function addToken(
  data: string,
  name: string,
  options: { admin?: boolean; expiresAt?: Date } = {},
): Promise<{ token: string } & TokenInfo> {
  if (name === '' || name.length > 256 || /\p{Cc}/u.test(name)) {
    throw new GypsumError('invalid-argument', `"${showText(name)}" cannot be the name of a user.`, {
      hint: 'Give a name of 1 to 256 characters without control characters.',
    });
  }
  await mkdir(data, { recursive: true });
  await checkFolder(data);
  return alone(data, async (file) => {
    await makeAdminToken(data);
    const { token, record } = createToken(name, options);
    await writeTokens(file, [...(await readTokens(file)), record]);
    return { token, ...toInfo(record) };
  });
}

/** Forgets the tokens of a name, or the one with an id; throws `not-found` if there is none. */
export async function revokeTokens(data: string, which: string): Promise<TokenInfo[]> {
  await knownTokens(data);
  return alone(data, async (file) => {
    const records = await knownTokens(data);
    const revoked = records.filter((record) => record.name === which || toInfo(record).id === which);
    if (revoked.length === 0) {
      throw new GypsumError('not-found', `There is no token of "${showText(which)}".`, {
        hint: 'gypsum token list shows the names, and the ids.',
      });
    }
    await writeTokens(
      file,
      records.filter((record) => !revoked.includes(record)),
    );
    return revoked.map(toInfo);
  });
}

async function knownTokens(data: string): Promise<TokenRecord[]> {
  try {
    return await readTokens(join(data, 'tokens.json'));
  } catch (error) {
    if (!isSystemError(error, 'ENOENT', 'ENOTDIR')) throw error;
    throw new GypsumError('not-found', `There are no tokens in ${data}.`, {
      hint: 'Name the folder that "gypsum serve" was given as --data.',
      details: { data },
    });
  }
}

/** Two who change the tokens at once do so one after the other. */
async function alone<T>(data: string, work: (file: string) => Promise<T>): Promise<T> {
  const file = join(data, 'tokens.json');
  const release = await lockfile.lock(file, {
    realpath: false,
    retries: { retries: 40, minTimeout: 25, maxTimeout: 250 },
  });
  try {
    return await work(file);
  } finally {
    await release();
  }
}

function toInfo({ sha256, name, admin, createdAt, expiresAt }: TokenRecord): TokenInfo {
  const info = { id: sha256.slice(0, 8), name, admin, createdAt: new Date(createdAt) };
  return expiresAt === undefined ? info : { ...info, expiresAt: new Date(expiresAt) };
}
