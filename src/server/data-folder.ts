import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { showText } from '../model/text.ts';
import { exists } from './exists.ts';
import { checkObjects } from './objects-folder.ts';
import { createToken, readTokens, writeSecret, writeTokens } from './token-file.ts';

/** What a registry keeps in its folder, and what a file system keeps in each of its own. */
const OWN = ['objects', 'meta', 'incoming', 'naming', 'lock', 'tokens.json', 'admin-token', 'secret', 'lost+found'];

/** What comes after the folder of objects: where one of these is, that was too. */
const LATER = ['secret', 'meta'];

/** Makes a folder for a registry, for its owner alone; throws `destination-refused` where none can be. */
export function makeDataFolder(folder: string): void {
  try {
    makeFolder(folder, 0o700);
  } catch (cause) {
    if (!isSystemError(cause, 'EEXIST', 'ENOTDIR')) throw cause;
    throw new GypsumError(
      'destination-refused',
      `${folder} cannot be a folder: a file or a dangling link is in the way.`,
      {
        hint: 'Name a folder; it is made if it is not there.',
        details: { folder },
        cause,
      },
    );
  }
}

/** Throws `unavailable` for a folder that has been a registry's, and has lost its objects. */
export async function checkWhole(folder: string): Promise<void> {
  for (const name of LATER) if (await exists(join(folder, name))) await checkObjects(folder);
}

/** Throws `not-found` for a folder that is no registry's, `unavailable` for one that has lost its objects. */
export async function checkRegistry(folder: string): Promise<void> {
  await checkWhole(folder);
  if (await exists(join(folder, 'objects'))) return;
  throw new GypsumError('not-found', `There is no registry in ${folder}.`, {
    hint: 'Name the folder that "gypsum serve" was given as --data.',
    details: { folder },
  });
}

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

/** Makes the first token where there is none, and gives it; throws if the tokens that are there cannot be read. */
export async function makeAdminToken(folder: string): Promise<string | undefined> {
  const tokens = join(folder, 'tokens.json');
  if (await exists(tokens)) {
    await readTokens(tokens);
    return undefined;
  }
  const { token, record } = createToken('admin', { admin: true });
  // Its copy first: a hash whose token nobody has would lock everybody out.
  await writeSecret(join(folder, 'admin-token'), `${token}\n`);
  await writeTokens(tokens, [record]);
  return token;
}

/** Gives the secret of a registry, nothing where there is none yet; throws `wrong-content` for one that is damaged. */
export async function readSecret(folder: string): Promise<Uint8Array | undefined> {
  const file = join(folder, 'secret');
  if (!(await exists(file))) return undefined;
  const text = await readFile(file, 'utf8');
  if (/^[0-9a-f]{64}\s*$/.test(text)) return Buffer.from(text.trim(), 'hex');
  throw new GypsumError('wrong-content', `The file ${file} is damaged: it has 64 hexadecimal digits.`, {
    hint: 'Put the one from a backup in its place. Without one, remove it: another is made, caches take the registry for another, and uploads that are going on begin anew.',
    details: { file },
  });
}

/** Makes the secret of a registry, the last of what a new one has. */
export async function makeSecret(folder: string): Promise<Uint8Array> {
  const secret = randomBytes(32);
  await writeSecret(join(folder, 'secret'), secret.toString('hex'));
  return secret;
}
