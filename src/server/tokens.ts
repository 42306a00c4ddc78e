import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import lockfile from 'proper-lockfile';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { checkRegistry, makeAdminToken } from './data-folder.ts';
import { createToken, hashToken, isExpired, readTokens, type TokenRecord, writeTokens } from './token-file.ts';

/** What may be told of a token: neither it nor its hash. `id` tells tokens of one name apart. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly admin: boolean;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
}

/** A lock that nobody has touched for so long was left by a process that was killed. Units: milliseconds */
const STALE = 5000;

/** Lists the tokens that a registry in this folder knows. */
export async function listTokens(data: string): Promise<TokenInfo[]> {
  return (await knownTokens(data)).map(toInfo);
}

/**
 * Adds a token to those that the registry in this folder knows, from the next request on; throws `not-found` where there
 * is none.
 */
export async function addToken(
  data: string,
  name: string,
  options: { admin?: boolean; expiresAt?: Date } = {},
): Promise<{ token: string } & TokenInfo> {
  if (name === '' || name.length > 256 || /\p{Cc}|,/u.test(name) || name.trim() !== name) {
    throw new GypsumError('invalid-argument', `"${showText(name)}" cannot be the name of a user.`, {
      hint: 'Give a name of 1 to 256 characters without commas, control characters, and spaces around it.',
    });
  }
  await checkRegistry(data);
  return alone(data, async (file) => {
    await makeAdminToken(data);
    const { token, record } = createToken(name, options);
    await writeTokens(file, [...(await readTokens(file)), record]);
    return { token, ...toInfo(record) };
  });
}

/** Forgets the tokens of a name, or the one with an id; throws `not-found` if there is none. */
export async function revokeTokens(data: string, which: string): Promise<TokenInfo[]> {
  const revoked = await forget(data, (record) => record.name === which || toInfo(record).id === which);
  if (revoked.length > 0) return revoked;
  throw new GypsumError('not-found', `There is no token of "${showText(which)}".`, {
    hint: 'gypsum token list shows the names, and the ids.',
  });
}

/** Forgets the tokens that have expired, if there are any. */
export async function revokeExpired(data: string): Promise<TokenInfo[]> {
  return forget(data, isExpired);
}

async function forget(data: string, isMeant: (record: TokenRecord) => boolean): Promise<TokenInfo[]> {
  await knownTokens(data);
  return alone(data, async (file) => {
    const records = await knownTokens(data);
    const revoked = records.filter(isMeant);
    if (revoked.length === 0) return [];
    await writeTokens(
      file,
      records.filter((record) => !revoked.includes(record)),
    );
    await forgetCopy(data, revoked);
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

/** Makes the first token where there is none, and gives it. */
export async function makeFirstToken(data: string): Promise<string | undefined> {
  return alone(data, () => makeAdminToken(data));
}

/** Removes the copy of the administrator's token once that is worth nothing any more, and would only mislead. */
async function forgetCopy(data: string, revoked: readonly TokenRecord[]): Promise<void> {
  const file = join(data, 'admin-token');
  const copy = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!isSystemError(error, 'ENOENT')) throw error;
  });
  const hash = copy && hashToken(copy.trim()).toString('hex');
  if (revoked.some(({ sha256 }) => sha256 === hash)) await rm(file, { force: true });
}

/** Two who change the tokens at once do so one after the other. */
async function alone<T>(data: string, work: (file: string) => Promise<T>): Promise<T> {
  const file = join(data, 'tokens.json');
  let isLost = false;
  const release = await lockfile
    .lock(file, {
      realpath: false,
      stale: STALE,
      // Twice as long as a lock can outlive its process.
      retries: { retries: 45, minTimeout: 25, maxTimeout: 250 },
      onCompromised: () => {
        isLost = true;
      },
    })
    .catch((error: unknown) => {
      if (!isSystemError(error, 'ELOCKED')) throw error;
      throw new GypsumError('in-use', `The token file ${file} is being changed by another process.`, {
        hint: 'Try again when that one has ended.',
        details: { file },
      });
    });
  try {
    return await work(file);
  } finally {
    if (!isLost) await release();
  }
}

function toInfo({ sha256, name, admin, createdAt, expiresAt }: TokenRecord): TokenInfo {
  // It needs no place in the file, and tells nothing of the hash.
  const id = createHash('sha256').update(`id of ${sha256}`).digest('hex').slice(0, 8);
  const info = { id, name, admin, createdAt: new Date(createdAt) };
  return expiresAt === undefined ? info : { ...info, expiresAt: new Date(expiresAt) };
}
