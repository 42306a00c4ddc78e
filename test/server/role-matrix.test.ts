import { describe, expect, it } from 'vitest';
import { createRegistry, type Identity, memoryStorage, type Principal, type Registry } from '../../src/server/index.ts';
import { ROUTES, type RouteName } from '../../src/server/routes.ts';
import { md5, type Started } from './rig.ts';

const PEOPLE: Readonly<Record<string, Omit<Principal, 'id'>>> = {
  nobody: { organizations: ['elsewhere'], admin: false },
  uploader: { organizations: [], admin: false },
  trusted: { organizations: [], admin: false },
  'of another asset': { organizations: [], admin: false },
  'no longer': { organizations: [], admin: false },
  owner: { organizations: [], admin: false },
  'owner by organisation': { organizations: ['lab'], admin: false },
  admin: { organizations: [], admin: true },
};

const identity: Identity = {
  async identify(token) {
    const person = Object.hasOwn(PEOPLE, token) ? PEOPLE[token] : undefined;
    return person && { id: token, ...person };
  },
};

const permissions = {
  owners: ['owner', 'lab'],
  uploaders: [
    { id: 'uploader' },
    { id: 'trusted', trusted: true },
    { id: 'of another asset', asset: 'b' },
    { id: 'no longer', until: '2001-01-01T00:00:00Z' },
  ],
};

const STRANGERS = ['without a token', 'malformed', 'unknown'] as const;
const SESSIONS = ['session', 'another session', 'ended session'] as const;
const ROLES = [...STRANGERS, ...Object.keys(PEOPLE), ...SESSIONS];

/** Who is let in by a route; whoever is not named is answered with the status of `others`, strangers with 401. */
interface Row {
  readonly allowed: readonly string[] | 'all';
  /** Of those who are let in. @default 200 */
  readonly status?: number;
  /** Of some it is another one. */
  readonly but?: Readonly<Record<string, number>>;
  /** Whether an upload is in progress. @default false */
  readonly upload?: boolean;
  readonly path: (state: State) => string;
  readonly body?: unknown;
}

interface State {
  readonly started: Started | undefined;
  readonly content: string;
  readonly md5sum: string;
}

const OWNERS = ['owner', 'owner by organisation', 'admin'];
const UPLOADERS = ['uploader', 'trusted', ...OWNERS];
/** Tokens of sessions are nobody's names. */
const UNKNOWN = Object.fromEntries(SESSIONS.map((role) => [role, 401]));
/** Names of people are no tokens of sessions: a stranger's neither, once it is there. */
const NO_SESSION = { unknown: 403 };
const REMOVED = { allowed: ['admin'], but: UNKNOWN };

const MATRIX: Readonly<Record<RouteName, Row>> = {
  documentation: { allowed: 'all', status: 301, path: () => '/' },
  health: { allowed: 'all', path: () => '/healthz' },
  file: { allowed: 'all', path: () => '/file/p%2Fa%2Fv1%2Fx' },
  list: { allowed: 'all', path: () => '/list?prefix=p%2F' },
  lock: { allowed: 'all', path: () => '/lock/p' },
  s3Credentials: { allowed: 'all', path: () => '/credentials/s3-api' },
  githubCredentials: { allowed: 'all', path: () => '/credentials/github-app' },
  whoami: { allowed: Object.keys(PEOPLE), but: UNKNOWN, path: () => '/whoami' },
  create: { allowed: ['admin'], but: UNKNOWN, path: () => '/create/new', body: {} },
  permissions: { allowed: OWNERS, but: UNKNOWN, path: () => '/permissions/p', body: {} },
  quota: { allowed: ['admin'], but: UNKNOWN, path: () => '/quota/p', body: {} },
  // The upload in progress is the uploader's.
  release: { allowed: ['uploader', ...OWNERS], but: UNKNOWN, upload: true, path: () => '/release/p' },
  unlock: { allowed: ['admin'], but: UNKNOWN, upload: true, path: () => '/unlock/p' },
  start: { allowed: UPLOADERS, but: UNKNOWN, path: () => '/upload/start/p/a/v9', body: { files: [] } },
  presign: {
    allowed: ['session'],
    but: NO_SESSION,
    upload: true,
    path: ({ started }) => started?.file_urls[0]?.url ?? '',
  },
  // The address is all that is needed.
  put: { allowed: 'all', upload: true, path: ({ content }) => content },
  complete: { allowed: ['session'], but: NO_SESSION, upload: true, path: ({ started }) => started?.complete_url ?? '' },
  abort: { allowed: ['session'], but: NO_SESSION, upload: true, path: ({ started }) => started?.abort_url ?? '' },
  approve: { allowed: OWNERS, but: UNKNOWN, path: () => '/probation/approve/p/a/probational' },
  // It is the uploader's; who else may upload is told so.
  reject: {
    allowed: ['uploader', ...OWNERS],
    but: { ...UNKNOWN, trusted: 400 },
    path: () => '/probation/reject/p/a/probational',
  },
  refreshLatest: { ...REMOVED, path: () => '/refresh/latest/p/a' },
  refreshUsage: { ...REMOVED, path: () => '/refresh/usage/p' },
  removeVersion: { ...REMOVED, path: () => '/remove/p/a/v1' },
  removeAsset: { ...REMOVED, path: () => '/remove/p/a' },
  removeProject: { ...REMOVED, path: () => '/remove/p' },
};

/** What only this answers may be seen of a session that ended. */
const ENDED = '0f8fad5b-d9cb-469f-a165-70867728950e';
const OTHER = '7c9e6679-7425-40de-944b-e07fc1f90ae7';

function expectedStatus({ allowed, status = 200, but = {} }: Row, role: string): number {
  if (allowed === 'all') return status;
  if (allowed.includes(role)) return status;
  return but[role] ?? (STRANGERS.some((stranger) => stranger === role) ? 401 : 403);
}

async function send(
  registry: Registry,
  method: string,
  path: string,
  authorization?: string,
  body?: unknown,
  md5sum?: string,
) {
  return registry.fetch(
    new Request(new URL(path, 'http://registry.test'), {
      method,
      headers: {
        ...(authorization !== undefined && { authorization }),
        ...(md5sum !== undefined && { 'content-md5': md5sum }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    }),
  );
}

async function ok<T>(answering: Promise<Response>): Promise<T> {
  const answer = await answering;
  const text = await answer.text();
  expect(answer.status, text).toBe(200);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** A registry with a version, one on probation and, if one is asked for, an upload in progress. */
async function prepare(upload: boolean): Promise<{ registry: Registry; state: State }> {
  const registry = await createRegistry({
    storage: memoryStorage(),
    identity,
    secret: Buffer.alloc(32, 1),
    credentials: {
      's3-api': { endpoint: 'https://bucket.test', bucket: 'b', key: 'k', secret: 's' },
      'github-app': { id: 'i', secret: 's' },
    },
  });
  const start = (version: string, user: string) =>
    ok<Started>(
      send(registry, 'POST', `/upload/start/p/a/${version}`, `Bearer ${user}`, {
        files: [{ type: 'simple', path: 'x', size: 1, md5sum: md5('x') }],
      }),
    );
  const address = async ({ file_urls, session_token }: Started) =>
    ok<{ url: string; md5sum_base64: string }>(
      send(registry, 'POST', file_urls[0]?.url ?? '', `Bearer ${session_token}`),
    );
  const publish = async (version: string, user: string) => {
    const started = await start(version, user);
    const { url, md5sum_base64 } = await address(started);
    await ok(send(registry, 'PUT', url, undefined, 'x', md5sum_base64));
    await ok(send(registry, 'POST', started.complete_url, `Bearer ${started.session_token}`));
  };
  await ok(send(registry, 'POST', '/create/p', 'Bearer admin', { permissions }));
  await publish('v1', 'owner');
  await publish('probational', 'uploader');
  if (!upload) return { registry, state: { started: undefined, content: '', md5sum: '' } };
  const started = await start('v9', 'uploader');
  const { url, md5sum_base64 } = await address(started);
  return { registry, state: { started, content: url, md5sum: md5sum_base64 } };
}

function authorizationOf(role: string, { started }: State): string | undefined {
  if (role === 'without a token') return undefined;
  if (role === 'malformed') return 'bearer admin';
  if (role === 'session') return `Bearer ${started?.session_token ?? ENDED}`;
  if (role === 'another session') return `Bearer ${OTHER}`;
  if (role === 'ended session') return `Bearer ${ENDED}`;
  return `Bearer ${role}`;
}

describe('every role on every route', () => {
  it('has a row for each route, and a role for each row', () => {
    expect(Object.keys(MATRIX).sort()).toEqual(Object.keys(ROUTES).sort());
    const named = Object.values(MATRIX).flatMap(({ allowed, but = {} }) => [
      ...(allowed === 'all' ? [] : allowed),
      ...Object.keys(but),
    ]);
    expect(named.filter((role) => !ROLES.includes(role))).toEqual([]);
  });

  describe.each(Object.entries(MATRIX))('%s', (name, row) => {
    it.each(ROLES)('%s', async (role) => {
      const { registry, state } = await prepare(row.upload === true);
      const { method } = ROUTES[name as RouteName];
      if (name === 'complete') await ok(send(registry, 'PUT', state.content, undefined, 'x', state.md5sum));
      const body = name === 'put' ? 'x' : row.body;
      const before = await everything(registry);
      const answer = await send(registry, method, row.path(state), authorizationOf(role, state), body, state.md5sum);
      const text = await answer.text();
      expect(answer.status, text).toBe(expectedStatus(row, role));
      // Whoever is refused has changed nothing.
      if (answer.status >= 400) expect(await everything(registry)).toEqual(before);
    });
  });
});

async function everything(registry: Registry): Promise<Record<string, string>> {
  const keys = await ok<string[]>(send(registry, 'GET', '/list?recursive=true'));
  const objects: Record<string, string> = {};
  for (const key of keys) {
    objects[key] = await (await send(registry, 'GET', `/file/${encodeURIComponent(key)}`)).text();
  }
  return objects;
}
