import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import lockfile from 'proper-lockfile';
import { GypsumError, isSystemError } from '../errors.ts';
import { type Background, startBackground } from './background.ts';
import { checkFolder, checkWhole, makeDataFolder, makeSecret, readSecret } from './data-folder.ts';
import { diskStorage } from './disk-storage.ts';
import { failure } from './http.ts';
import { type Identity, withAdmins } from './identity.ts';
import { createRegistry, type Registry, type RegistryOptions } from './registry.ts';
import { SESSION_TTL, type Swept } from './sweep.ts';
import { tokenFileIdentity } from './token-file.ts';
import { makeFirstToken } from './tokens.ts';

/**
 * How long a lock lives that nobody touches, and how often it is touched.
 *
 * Units: milliseconds
 */
const LOCK = { stale: 5000, update: 1000 };

/** How often a lock that is held is looked at. Units: milliseconds */
const POLL = 200;

export interface OpenRegistryOptions extends Partial<Omit<RegistryOptions, 'storage' | 'identity' | 'secret'>> {
  /** The folder that holds everything; it is made if it is not there. */
  data: string;
  /** Who sends requests. @default the token file in the folder */
  identity?: Identity;
  /** Users who are administrators, whatever else says so. */
  admins?: readonly string[];
  /** How long an upload may go on without anything arriving before it is aborted. Units: milliseconds @default 7 days */
  sessionTtl?: number;
  /** Hears what was cleared away beside the requests. */
  onSwept?: (swept: Swept) => void;
  signal?: AbortSignal;
}

export interface OpenRegistry extends Registry {
  /** The administrator's token, only when it has just been made. */
  readonly adminToken?: string;
  /**
   * Lets go of the folder when all requests have been answered, also those whose connections have ended; none may come
   * any more.
   */
  close(): Promise<void>;
}

/**
 * Opens a registry in a folder, or makes one; throws `in-use` if another process has it open, `destination-refused` if it
 * holds other things, `unavailable` if it has lost its objects, `wrong-content` if its secret is damaged.
 *
 * Without an `identity`, the first opening makes a token for the user `admin` and keeps it in `admin-token`.
 *
 * Shape:  <data>/objects/ meta/ incoming/    see `diskStorage`
 *         <data>/tokens.json                 hashes of tokens, see `tokenFileIdentity`
 *         <data>/admin-token, secret         for the owner's eyes only
 *         <data>/lock/                       there while it is open
 */
export async function openRegistry({
  data,
  identity,
  admins = [],
  sessionTtl = SESSION_TTL,
  onSwept,
  signal,
  ...options
}: OpenRegistryOptions): Promise<OpenRegistry> {
  const folder = resolve(data);
  makeDataFolder(folder);
  await checkFolder(folder);
  await checkWhole(folder);
  let isLost = false;
  let background: Background | undefined;
  const release = await lockFolder(folder, signal, () => {
    isLost = true;
    void background?.stop();
  });
  try {
    const known = await readSecret(folder);
    const adminToken = identity === undefined ? await makeFirstToken(folder) : undefined;
    const registry = await createRegistry({
      ...options,
      storage: await diskStorage(folder),
      identity: withAdmins(identity ?? tokenFileIdentity(join(folder, 'tokens.json')), admins),
      secret: known ?? (await makeSecret(folder)),
    });
    if (!isLost) background = startBackground(registry.sweep, { sessionTtl, onSwept, onError: options.onError });
    const answering = new Set<Promise<Response>>();
    const answer = async (request: Request) => {
      const answered = registry.fetch(request);
      answering.add(answered);
      try {
        return await answered;
      } finally {
        answering.delete(answered);
      }
    };
    return {
      ...registry,
      // Two processes that write to one folder would undo each other's work: the one that lost it stops.
      fetch: async (request) => (isLost ? failure(lostFolder()) : answer(request)),
      ...(adminToken === undefined ? {} : { adminToken }),
      close: async () => {
        await background?.stop();
        await Promise.allSettled(answering);
        if (!isLost) await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}

/**
 * Takes the folder's lock. One that a killed process left is taken over when it is stale; one that is alive shows it
 * by being touched, and then there is no point in waiting.
 */
export async function lockFolder(folder: string, signal: AbortSignal | undefined, onCompromised: () => void) {
  const lockfilePath = join(folder, 'lock');
  let touched: number | undefined;
  for (;;) {
    try {
      return await lockfile.lock(folder, { ...LOCK, lockfilePath, realpath: false, onCompromised });
    } catch (error) {
      if (!isSystemError(error, 'ELOCKED')) throw error;
    }
    const now = await lastTouch(lockfilePath);
    if (touched !== undefined && now !== undefined && now !== touched) throw inUse(folder);
    touched ??= now;
    await setTimeout(POLL, undefined, signal === undefined ? {} : { signal });
  }
}

async function lastTouch(lockfilePath: string): Promise<number | undefined> {
  try {
    return (await stat(lockfilePath)).mtimeMs;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function inUse(folder: string): GypsumError {
  return new GypsumError('in-use', `The folder ${folder} is served by another process.`, {
    hint: 'Stop that one, or serve another folder.',
    details: { folder },
  });
}

function lostFolder(): GypsumError {
  return new GypsumError('in-use', 'The registry has lost its data folder to another process, and stopped.');
}
