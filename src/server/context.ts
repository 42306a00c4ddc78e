import { GypsumError } from '../errors.ts';
import type { Counter } from './counter.ts';
import type { Credentials } from './credentials.ts';
import type { Documents } from './documents.ts';
import { bearerToken } from './http.ts';
import type { Identity, Principal } from './identity.ts';
import type { Mutex } from './mutex.ts';
import { mayNot } from './permissions.ts';
import { factsOf } from './request-facts.ts';
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
  /** How many files are arriving, by project. */
  readonly receiving: Counter;
  /** What is given out to whoever asks. */
  readonly credentials: Credentials;
  /** Gives where the registry is reached, without a trailing slash. */
  readonly baseOf: (request: Request) => string;
  /** How many files may arrive at once. */
  readonly maxUploads: number;
  /** Hears of failures that are the registry's own, where the answer to the request does not come to nothing by them. */
  readonly onError: (error: unknown, request: Request) => void;
}

/** Gives who sent a request, or throws `unauthorized`. */
export async function authenticate({ identity }: ServerContext, request: Request): Promise<Principal> {
  const who = await identity.identify(bearerToken(request));
  const facts = factsOf(request);
  if (facts !== undefined && who !== undefined) facts.user = who.id;
  if (who === undefined) throw new GypsumError('unauthorized', 'The token is not known, or has expired.');
  return who;
}

/** Throws `forbidden` unless an administrator has sent the request; gives who it was. */
export async function requireAdmin(context: ServerContext, request: Request, what: string): Promise<Principal> {
  const who = await authenticate(context, request);
  if (!who.admin) throw mayNot(who, what);
  return who;
}
