import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { createToken, writeSecret, writeTokens } from './token-file.ts';

/** What a registry keeps in its folder, and what a file system keeps in each of its own. */
const OWN = ['objects', 'meta', 'incoming', 'naming', 'lock', 'tokens.json', 'admin-token', 'secret', 'lost+found'];

/** Throws `destination-refused` for a folder that holds other things: secrets do not belong among somebody's data. */
export async function checkFolder(folder: string): Promise<void> {
  const others = (await readdir(folder)).filter(
    (name) => !OWN.some((own) => name === own || name.startsWith(`${own}.`)),
  );
  const [first] = others;
  if (first === undefined) return;
  throw new GypsumError(
    'destination-refused',
    `The folder ${folder} holds other things, such as "${showText(first)}".`,
    {
      hint: 'Give a registry a folder of its own.',
      details: { folder, others },
    },
  );
}

/** Makes the first token where there is none, and gives it. */
export async function makeAdminToken(folder: string): Promise<string | undefined> {
  const tokens = join(folder, 'tokens.json');
  if (await exists(tokens)) return undefined;
  const { token, record } = createToken('admin', { admin: true });
  // Its copy first: a hash whose token nobody has would lock everybody out.
  await writeSecret(join(folder, 'admin-token'), `${token}\n`);
  await writeTokens(tokens, [record]);
  return token;
}

/** Gives the secret of a registry; the first call makes it. */
export async function openSecret(folder: string): Promise<Uint8Array> {
  const file = join(folder, 'secret');
  if (!(await exists(file))) await writeSecret(file, randomBytes(32).toString('hex'));
  return Buffer.from(await readFile(file, 'utf8'), 'hex');
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
}
