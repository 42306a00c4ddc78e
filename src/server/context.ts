import { GypsumError } from '../errors.ts';
import type { Documents } from './documents.ts';
import { bearerToken } from './http.ts';
import type { Identity, Principal } from './identity.ts';
import type { Mutex } from './mutex.ts';
import type { Signer } from './signer.ts';
import type { Storage } from './storage.ts';

/** What the routes stand on. */
export interface ServerContext {
  readonly storage: Storage;
  readonly documents: Documents;
  readonly identity: Identity;
  readonly signer: Signer;
  /** By project: what decides upon a session and what depends on the decision happen one after the other. */
  readonly projects: Mutex;
  /** Where the registry is reached, if not where a request says. */
  readonly baseUrl: string | undefined;
}

/**
 * How long tickets are good for: to ask for an address, and to send content there.
 *
 * Units: milliseconds
 */
export const LIFETIME = { slug: 7 * 24 * 60 * 60 * 1000, content: 60 * 60 * 1000 } as const;

/** Gives who sent a request, or throws `unauthorized`. */
export async function authenticate({ identity }: ServerContext, request: Request): Promise<Principal> {
  const who = await identity.identify(bearerToken(request));
  if (who === undefined) throw new GypsumError('unauthorized', 'The token is not known, or has expired.');
  return who;
}
