import { join } from 'node:path';
import { z } from 'zod';
import { readUserFile, type UserFile, unusable, writeUserFile } from './user-file.ts';

const schema = z.record(z.string(), z.object({ token: z.string() }));

type Logins = z.infer<typeof schema>;

/**
 * The file in a folder that holds the tokens of logins, by the origin of the registry that each is for.
 *
 * Shape:  { "https://gypsum.artifactdb.com": { "token": "…" } }
 */
export function loginsFile(folder: string): UserFile {
  return { path: join(folder, 'tokens.json'), what: 'The file of your logins', secret: true };
}

/** Gives the token of the login at a registry; nothing for any other origin. Throws `invalid-argument`. */
export function readLogin(file: UserFile, url: string): string | undefined {
  const origin = originOf(url);
  return origin === undefined ? undefined : readLogins(file).get(origin)?.token;
}

/** Remembers the token of a login at a registry in place of an earlier one. */
export function writeLogin(file: UserFile, url: string, token: string): void {
  const origin = originOf(url);
  if (origin === undefined) throw new Error('a login was made at what is no URL');
  writeLogins(file, readLogins(file).set(origin, { token }));
}

/** Forgets the token of a login at a registry; says whether there was one. */
export function removeLogin(file: UserFile, url: string): boolean {
  const logins = readLogins(file);
  const was = logins.delete(originOf(url) ?? '');
  if (was) writeLogins(file, logins);
  return was;
}

function readLogins(file: UserFile): Map<string, Logins[string]> {
  const text = readUserFile(file);
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(schema.parse(JSON.parse(text))));
  } catch (error) {
    // Neither error is passed on: they quote what they could not read, and that is a token.
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
  }
  throw unusable(file, 'is damaged', 'Remove it, and log in again with "gypsum login".');
}

function writeLogins(file: UserFile, logins: Map<string, Logins[string]>): void {
  writeUserFile(file, `${JSON.stringify(Object.fromEntries(logins), null, 2)}\n`);
}

function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
