import { describe, expect, it } from 'vitest';
import { createRegistry, type Identity, type Principal, type RouteName } from '../../src/server/index.ts';
import { ROUTES } from '../../src/server/routes.ts';
import { checkInvariants } from './invariants.ts';
import { type MemoryStorage, memoryStorage } from './memory-storage.ts';
import { type CallOptions, md5, type Started } from './rig.ts';
import { type Talk, talkTo } from './talk.ts';

const PEOPLE: Readonly<Record<string, Omit<Principal, 'id'>>> = {
  admin: { organizations: [], admin: true },
  owner: { organizations: [], admin: false },
  member: { organizations: ['lab', 'other-lab'], admin: false },
  uploader: { organizations: [], admin: false },
  other: { organizations: [], admin: false },
  expired: { organizations: [], admin: false },
  trusted: { organizations: [], admin: false },
  nobody: { organizations: ['other-lab'], admin: false },
};

const identity: Identity = {
  async identify(token) {
    const person = Object.hasOwn(PEOPLE, token) ? PEOPLE[token] : undefined;
    return person && { id: token, ...person };
  },
};

const PERMISSIONS = {
  owners: ['owner', 'lab'],
  uploaders: [
    { id: 'uploader' },
    { id: 'other', asset: 'b' },
    { id: 'expired', until: '2020-01-01T00:00:00Z' },
    // Of several entries only the first counts.
    { id: 'expired' },
    { id: 'trusted', trusted: true },
  ],
};

const FILES = { 'x.txt': 'hello' };

/** What a request may bring, in the order of the table's columns. */
const ROLES = [
  'no token',
  'no bearer',
  'unknown',
  'nobody',
  'uploader',
  'other',
  'expired',
  'trusted',
  'owner',
  'member',
  'admin',
  'this session',
  'another session',
  'ended session',
] as const;

type Role = (typeof ROLES)[number];

/** A project in which something of every kind can be done. */
interface World {
  readonly storage: MemoryStorage;
  readonly sessions: Readonly<Record<'this' | 'another' | 'ended', Started>>;
  /** Where the content of a file can be sent, in the session that goes on. */
  readonly address: { url: string; md5sum_base64: string };
}

const secret = Buffer.alloc(32, 3);
const open = async (storage: MemoryStorage, isPrivate = false) =>
  talkTo(await createRegistry({ storage, identity, secret, isPrivate, credentials: CREDENTIALS }));

const CREDENTIALS = {
  's3-api': { endpoint: 'https://bucket.example.org', bucket: 'b', key: 'k', secret: 's' },
  'github-app': { id: 'i', secret: 's' },
};

/** `p/a/v1` is finished, `p/a/v2` on probation and the uploader's; with an upload, `p/a/v3` is ready to be completed. */
async function createWorld(withUpload: boolean): Promise<World> {
  const storage = memoryStorage();
  const talk = await open(storage);
  for (const project of ['p', 'q']) {
    await talk.status('POST', `/create/${project}`, { token: 'admin', body: { permissions: PERMISSIONS } });
  }
  await talk.publish('p/a/v1', FILES);
  await talk.publish('p/a/v2', FILES, { token: 'uploader' });
  const ended = await talk.start('p/a/v3', FILES);
  await talk.call('POST', ended.abort_url, { token: ended.session_token });
  const another = await talk.start('q/a/v3', FILES);
  if (!withUpload)
    return { storage, sessions: { this: ended, another, ended }, address: { url: '', md5sum_base64: '' } };
  const mine = await talk.start('p/a/v3', FILES, { token: 'uploader' });
  await talk.send(mine, FILES);
  const answer = await talk.call('POST', mine.file_urls[0]?.url ?? '', { token: mine.session_token });
  return { storage, sessions: { this: mine, another, ended }, address: (await answer.json()) as World['address'] };
}

function credentialsOf(role: Role, { sessions }: World): CallOptions {
  switch (role) {
    case 'no token':
      return {};
    case 'no bearer':
      return { headers: { authorization: 'Basic YWRtaW46' } };
    case 'this session':
      return { token: sessions.this.session_token };
    case 'another session':
      return { token: sessions.another.session_token };
    case 'ended session':
      return { token: sessions.ended.session_token };
    default:
      return { token: role };
  }
}

interface Row {
  /** Whether an upload to the project is in progress. */
  readonly uploading?: boolean;
  readonly path: string | ((world: World) => string);
  readonly body?: unknown;
  readonly headers?: (world: World) => Record<string, string>;
  /** By role, in the order of `ROLES`. */
  readonly expected: string;
}

const start = { files: [{ type: 'simple', path: 'x', size: 1, md5sum: md5('1') }] };

// no token, no bearer, unknown | nobody, uploader, other, expired, trusted | owner, member, admin | this, another, ended
const ALL = /*        */ '200 200 200 | 200 200 200 200 200 | 200 200 200 | 200 200 200';
const REDIRECT = /*   */ '301 301 301 | 301 301 301 301 301 | 301 301 301 | 301 301 301';
const KNOWN = /*      */ '401 401 401 | 200 200 200 200 200 | 200 200 200 | 401 401 401';
const UPLOADERS = /*  */ '401 401 401 | 403 200 403 403 200 | 200 200 200 | 401 401 401';
const OWNERS = /*     */ '401 401 401 | 403 403 403 403 403 | 200 200 200 | 401 401 401';
// Who may upload may try to reject, but only what is theirs: 400, as the public registry says it.
const REJECTERS = /*  */ '401 401 401 | 403 200 403 403 400 | 200 200 200 | 401 401 401';
const RELEASERS = /*  */ '401 401 401 | 403 200 403 403 403 | 200 200 200 | 401 401 401';
const ADMIN = /*      */ '401 401 401 | 403 403 403 403 403 | 403 403 200 | 401 401 401';
const SESSION = /*    */ '401 401 403 | 403 403 403 403 403 | 403 403 403 | 200 403 403';

const TABLE: Readonly<Record<RouteName, Row>> = {
  documentation: { path: '/', expected: REDIRECT },
  health: { path: '/healthz', expected: ALL },
  file: { path: '/file/p%2Fa%2Fv1%2Fx.txt', expected: ALL },
  bulk: { path: '/bulk/p/a/v1', body: { paths: ['x.txt'] }, expected: ALL },
  list: { path: '/list?prefix=p', expected: ALL },
  whoami: { path: '/whoami', expected: KNOWN },
  create: { path: '/create/new', body: {}, expected: ADMIN },
  permissions: { path: '/permissions/p', body: { owners: ['x'] }, expected: OWNERS },
  quota: { path: '/quota/p', body: { baseline: 1 }, expected: ADMIN },
  lock: { path: '/lock/p', uploading: true, expected: ALL },
  release: { path: '/release/p', uploading: true, expected: RELEASERS },
  unlock: { path: '/unlock/p', uploading: true, expected: ADMIN },
  start: { path: '/upload/start/p/a/v9', body: start, expected: UPLOADERS },
  presign: { path: ({ sessions }) => sessions.this.file_urls[0]?.url ?? '', uploading: true, expected: SESSION },
  put: {
    path: ({ address }) => address.url,
    body: 'hello',
    headers: ({ address }) => ({ 'content-md5': address.md5sum_base64 }),
    uploading: true,
    // The address is the right: it was given to the session.
    expected: ALL,
  },
  complete: { path: '/upload/complete/p/a/v3', uploading: true, expected: SESSION },
  approve: { path: '/probation/approve/p/a/v2', expected: OWNERS },
  reject: { path: '/probation/reject/p/a/v2', expected: REJECTERS },
  refreshLatest: { path: '/refresh/latest/p/a', expected: ADMIN },
  refreshUsage: { path: '/refresh/usage/p', expected: ADMIN },
  removeVersion: { path: '/remove/p/a/v1', expected: ADMIN },
  removeAsset: { path: '/remove/p/a', expected: ADMIN },
  removeProject: { path: '/remove/p', expected: ADMIN },
  s3Credentials: { path: '/credentials/s3-api', expected: ALL },
  githubCredentials: { path: '/credentials/github-app', expected: ALL },
  abort: { path: '/upload/abort/p/a/v3', uploading: true, expected: SESSION },
};

/** What needs a token of anybody where a registry is private, and otherwise none. */
const READS: readonly RouteName[] = ['file', 'bulk', 'list', 'lock', 's3Credentials', 'githubCredentials'];

const worlds = { idle: createWorld(false), uploading: createWorld(true) };

async function ask(talk: Talk, route: RouteName, role: Role, world: World): Promise<number> {
  const { path, body, headers } = TABLE[route];
  const credentials = credentialsOf(role, world);
  return talk.status(ROUTES[route].method, typeof path === 'string' ? path : path(world), {
    ...credentials,
    ...(body === undefined ? {} : { body }),
    headers: { ...credentials.headers, ...headers?.(world) },
  });
}

/** Asks in a world of its own, whose other rules hold afterwards and which a refusal leaves as it was. */
async function cell(route: RouteName, role: Role, isPrivate = false): Promise<number> {
  const { uploading = false } = TABLE[route];
  const made = await (uploading ? worlds.uploading : worlds.idle);
  const world = { ...made, storage: made.storage.copy() };
  const status = await ask(await open(world.storage, isPrivate), route, role, world);
  if (status === 200) await checkInvariants(world.storage, { abandoned: ['p/a/v3'] });
  else expect(world.storage.snapshot()).toEqual(made.storage.snapshot());
  return status;
}

const inOrder = (statuses: readonly number[]) =>
  [statuses.slice(0, 3), statuses.slice(3, 8), statuses.slice(8, 11), statuses.slice(11)]
    .map((group) => group.join(' '))
    .join(' | ');

it('has a row for every route, and no other', () => {
  expect(Object.keys(TABLE).sort()).toEqual(Object.keys(ROUTES).sort());
});

describe('by who asks,', () => {
  it.each(Object.keys(ROUTES) as RouteName[])('%s answers as the table says', async (route) => {
    const statuses: number[] = [];
    for (const role of ROLES) statuses.push(await cell(route, role));
    expect(inOrder(statuses)).toBe(TABLE[route]?.expected);
  });

  it.each(Object.keys(ROUTES) as RouteName[])(
    'of a private registry, %s does, and reads need a token',
    async (route) => {
      const statuses: number[] = [];
      for (const role of ROLES) statuses.push(await cell(route, role, true));
      expect(inOrder(statuses)).toBe(READS.includes(route) ? KNOWN : TABLE[route]?.expected);
    },
  );
});

describe('a locked project', () => {
  const REFUSED: readonly RouteName[] = [
    'start',
    'approve',
    'reject',
    'refreshLatest',
    'refreshUsage',
    'removeVersion',
    'removeAsset',
    'removeProject',
  ];

  it.each(REFUSED)('refuses %s, of everybody', async (route) => {
    const made = await worlds.uploading;
    for (const role of ROLES) {
      const world = { ...made, storage: made.storage.copy() };
      const status = await ask(await open(world.storage), route, role, world);
      expect([400, 401, 403], role).toContain(status);
      expect(world.storage.snapshot()).toEqual(made.storage.snapshot());
    }
  });
});

describe('whoever uploads', () => {
  it.each([
    ['uploader', true],
    ['trusted', undefined],
    ['owner', undefined],
    ['member', undefined],
    ['admin', undefined],
  ])('as %s has a version on probation: %s', async (token, onProbation) => {
    const storage = (await worlds.idle).storage.copy();
    const talk = await open(storage);
    await talk.publish('p/a/v9', FILES, { token });
    expect(JSON.parse(storage.snapshot().get('p/a/v9/..summary') ?? '').on_probation).toBe(onProbation);
    expect(JSON.parse(storage.snapshot().get('p/a/..latest') ?? '').version).toBe(onProbation ? 'v1' : 'v9');
  });
});
