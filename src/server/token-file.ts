import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chown, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { isSystemError } from '../errors.ts';
import { syncFolder, writeNew } from './durable.ts';
import type { Identity } from './identity.ts';

const tokenRecord = z.object({
  name: z.string().min(1),
  /** 64 hexadecimal digits: the token itself is kept nowhere. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  admin: z.boolean(),
  createdAt: z.iso.datetime({ offset: true }),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

const tokenRecords = z.array(tokenRecord);

export type TokenRecord = Readonly<z.infer<typeof tokenRecord>>;

/** Makes a token, 256 bits of chance, and the record by which it will be known. */
export function createToken(
  name: string,
  { admin = false, expiresAt }: { admin?: boolean; expiresAt?: Date } = {},
): { token: string; record: TokenRecord } {
  const token = `gypsum_${randomBytes(32).toString('base64url')}`;
  const record = { name, sha256: hashToken(token).toString('hex'), admin, createdAt: new Date().toISOString() };
  return { token, record: expiresAt === undefined ? record : { ...record, expiresAt: expiresAt.toISOString() } };
}

/** Reads a token file; throws what the system says, or that it is no token file. */
export async function readTokens(file: string): Promise<TokenRecord[]> {
  const text = await readFile(file, 'utf8');
  try {
    return tokenRecords.parse(JSON.parse(text));
  } catch {
    // Neither error is passed on: they quote what they could not read.
    throw new Error(`The token file ${file} is damaged. Mend it, or put a copy of it in its place.`);
  }
}

/** Replaces a token file at once, readable for its owner only; throws if it could not be read again. */
export async function writeTokens(file: string, records: readonly TokenRecord[]): Promise<void> {
  await writeSecret(file, `${JSON.stringify(tokenRecords.parse(records), null, 2)}\n`);
}

/** Writes a file that only the owner of its folder may read, also where root does it for them: at once, and durably. */
export async function writeSecret(file: string, content: string): Promise<void> {
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeNew(fresh, content, 0o600);
    if (process.getuid?.() === 0) {
      const { uid, gid } = await stat(dirname(file));
      await chown(fresh, uid, gid);
    }
    await rename(fresh, file);
  } finally {
    await rm(fresh, { force: true });
  }
  await syncFolder(dirname(file));
}

/**
 * Knows the tokens of a token file. The file is read again when it has changed, so that a token that was added or
 * revoked counts from the next request on. Nobody is known while there is no file.
 */
export function tokenFileIdentity(file: string): Identity {
  let seen = '';
  let known: readonly TokenRecord[] = [];

  async function load(): Promise<readonly TokenRecord[]> {
    try {
      const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
      const now = [ino, size, mtimeNs, ctimeNs].join(' ');
      if (now !== seen) {
        known = await readTokens(file);
        seen = now;
      }
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
      known = [];
      seen = '';
    }
    return known;
  }

  return {
    async identify(token) {
      const hash = hashToken(token);
      let found: TokenRecord | undefined;
      // All are compared, each in constant time, so that the time taken says nothing.
      for (const record of await load()) {
        if (timingSafeEqual(hash, Buffer.from(record.sha256, 'hex'))) found = record;
      }
      if (found === undefined || isExpired(found)) return undefined;
      return { id: found.name, organizations: [], admin: found.admin };
    },
  };
}

/** Whether a token is good for nothing any more. */
export function isExpired({ expiresAt }: TokenRecord): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
}

/** What is kept of a token: pure chance needs no salt. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
