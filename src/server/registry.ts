import { createHmac } from 'node:crypto';
import { Hono } from 'hono';
import { GypsumError, isSystemError } from '../errors.ts';
import { BULK_FEATURE } from '../model/bulk-read.ts';
import { bulkRoute } from './bulk-route.ts';
import { contentRoutes } from './content-routes.ts';
import { authenticate, type ServerContext } from './context.ts';
import { createCounter } from './counter.ts';
import { credentialRoutes } from './credential-routes.ts';
import type { Credentials } from './credentials.ts';
import { createDocuments } from './documents.ts';
import { recoverProjects } from './finish.ts';
import { finishRoutes } from './finish-routes.ts';
import { readForwarded } from './forwarded.ts';
import { healthRoute } from './health-route.ts';
import { failure, isOwnFailure, rawPath, rawTarget, redirect, refuse, requestBase } from './http.ts';
import type { Identity } from './identity.ts';
import { lockRoutes } from './lock-routes.ts';
import { createMutex } from './mutex.ts';
import { probationRoutes } from './probation-routes.ts';
import { projectRoutes } from './project-routes.ts';
import { readRoutes } from './read-routes.ts';
import { refreshRoutes } from './refresh-routes.ts';
import { removalRoutes } from './removal-routes.ts';
import { type Handlers, ROUTES, type RouteName } from './routes.ts';
import { createSigner } from './signer.ts';
import { startRoute } from './start-route.ts';
import type { Storage } from './storage.ts';
import { SESSION_TTL, type SweepOptions, type Swept, sweep } from './sweep.ts';

const DOCUMENTATION = 'https://artifactdb.github.io/gypsum-worker';
const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS'];

/** What this registry can do beside the contract, as it says on `/file` and `/list`. */
const FEATURES = `range, whoami, lock, release, prefix, unicode, dedup, ${BULK_FEATURE}`;

/** What the scripts of web pages may see of a header that is ours. */
const EXPOSED = 'gypsum-features, gypsum-registry, x-request-id';

/** What anybody may ask of a registry that is not private. */
const READS: ReadonlySet<RouteName> = new Set(['file', 'bulk', 'list', 'lock', 's3Credentials', 'githubCredentials']);

export interface RegistryOptions {
  storage: Storage;
  identity: Identity;
  /** Signs the addresses that are given out; another one makes those worthless. 32 random bytes. */
  secret: Uint8Array;
  /** Where the registry is reached, without a trailing slash. @default where each request says it was sent to */
  baseUrl?: string;
  /** Believes what the headers of a proxy say of where requests were sent to. @default false */
  trustProxy?: boolean;
  /** How many files may arrive at once; more are told to come again. @default 256 */
  maxUploads?: number;
  /** What is given out to whoever asks. @default none */
  credentials?: Credentials;
  /** Nobody reads without a token. @default false */
  isPrivate?: boolean;
  /** Hears of failures that are the registry's own, of which the client is told no more than that. */
  onError?: (error: unknown, request?: Request) => void;
}

/** A registry, as a function of a request. A port is given to it elsewhere. */
export interface Registry {
  fetch(request: Request): Promise<Response>;
  /** Clears away what has had its time. */
  sweep(options?: Partial<SweepOptions>): Promise<Swept>;
}

/**
 * Makes a registry out of its parts, and settles what an earlier one left unfinished in the same storage.
 *
 * Source: contract of the gypsum REST API
 */
export async function createRegistry({
  storage,
  identity,
  secret,
  baseUrl,
  trustProxy = false,
  maxUploads = 256,
  credentials = {},
  isPrivate = false,
  onError,
}: RegistryOptions): Promise<Registry> {
  const context: ServerContext = {
    storage,
    documents: createDocuments(storage),
    identity,
    signer: createSigner(secret),
    projects: createMutex(),
    receiving: createCounter(),
    credentials,
    baseOf: (request) =>
      baseUrl ?? (trustProxy ? readForwarded(request.headers).base : undefined) ?? requestBase(request),
    maxUploads,
    onError: (error, request) => onError?.(error, request),
  };
  await recoverProjects(context);
  // Tells this registry from any other that was or will be at the same address; it says nothing of the secret.
  const name = createHmac('sha256', secret).update('name').digest('hex').slice(0, 32);
  const handlers: Handlers = {
    documentation: () => redirect(DOCUMENTATION),
    ...healthRoute(context),
    ...readRoutes(context),
    ...bulkRoute(context),
    ...projectRoutes(context),
    ...startRoute(context),
    ...contentRoutes(context),
    ...finishRoutes(context),
    ...lockRoutes(context),
    ...probationRoutes(context),
    ...refreshRoutes(context),
    ...removalRoutes(context),
    ...credentialRoutes(context),
  };

  const app = new Hono({ getPath: rawPath });
  app.use(async (c, next) => {
    const request = c.req.raw;
    if (request.method === 'OPTIONS') return preflight(request);
    checkEncoding(c.req.path);
    if (request.method === 'HEAD' && !c.req.path.startsWith('/file/')) return notFound(request, context);
    await next();
    if (/^\/(file\/|list$)/.test(c.req.path)) {
      c.res.headers.set('gypsum-features', FEATURES);
      c.res.headers.set('gypsum-registry', name);
      c.res.headers.set('access-control-expose-headers', EXPOSED);
    }
    return undefined;
  });
  for (const [name, { method, path }] of Object.entries(ROUTES)) {
    // Hono's parameters are the ones that the path names, which is what the handler's type says.
    const handler = handlers[name as RouteName] as (request: Request, parameters: object) => Promise<Response>;
    const isRead = isPrivate && READS.has(name as RouteName);
    app.on(method, path, async (c) => {
      if (isRead) await authenticate(context, c.req.raw);
      return handler(c.req.raw, c.req.param());
    });
  }
  app.notFound((c) => notFound(c.req.raw, context));
  app.onError((error, c) => {
    const answer = failure(error);
    if (isOwnFailure(answer.status) && !isGone(error, c.req.raw)) onError?.(error, c.req.raw);
    return answer;
  });
  return {
    fetch: async (request) => app.fetch(request),
    sweep: (options = {}) => sweep(context, { sessionTtl: SESSION_TTL, ...options }),
  };
}

/** Whether the client has gone away in the middle of its request: no failure of ours. */
function isGone(error: unknown, request: Request): boolean {
  return request.signal.aborted || isSystemError(error, 'ECONNRESET');
}

function preflight(request: Request): Response {
  const { headers } = request;
  const asked = headers.get('access-control-request-headers');
  if (asked === null || !headers.has('origin') || !headers.has('access-control-request-method')) {
    return new Response(null, { headers: { allow: METHODS.join(', ') } });
  }
  return new Response(null, {
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': METHODS.join(','),
      'access-control-allow-headers': asked,
      'access-control-max-age': '86400',
    },
  });
}

/** Where no route is, doubled slashes are taken for a mistake; where one is, they belong to what it says. */
function notFound(request: Request, { baseOf }: ServerContext): Response {
  const target = rawTarget(request);
  if (target.includes('//')) return redirect(baseOf(request) + target.replace(/\/{2,}/g, '/'));
  return failure(new GypsumError('not-found', 'There is no such endpoint.'));
}

function checkEncoding(path: string): void {
  try {
    decodeURIComponent(path);
  } catch {
    throw refuse('The address has a "%" that does not stand for a character.');
  }
}
