import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type Identity,
  type OpenRegistry,
  type OpenRegistryOptions,
  openRegistry,
  type Principal,
  type Swept,
} from '../../src/server/index.ts';

/** Makes a folder that goes when the test has ended. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'gypsum-server-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export const md5 = (content: string | Uint8Array) => createHash('md5').update(content).digest('hex');

const USERS: Readonly<Record<string, Principal>> = {
  admin: { id: 'admin', organizations: [], admin: true },
  owner: { id: 'owner', organizations: [], admin: false },
  uploader: { id: 'uploader', organizations: [], admin: false },
  nobody: { id: 'nobody', organizations: [], admin: false },
};

/** Whoever bears a name as a token is the user of that name. */
export const namesAsTokens: Identity = {
  identify: async (token) => (Object.hasOwn(USERS, token) ? USERS[token] : undefined),
};

export interface Started {
  file_urls: { path: string; url: string; method: string }[];
  complete_url: string;
  abort_url: string;
  session_token: string;
}

/** A registry as a function, with a project `p` whose owner is `owner`. */
export interface Rig {
  readonly data: string;
  readonly registry: OpenRegistry;
  readonly errors: unknown[];
  readonly swept: Swept[];
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  json(path: string): Promise<unknown>;
  /** Starts an upload of files of these contents. */
  start(version: string, files: Readonly<Record<string, string>>): Promise<Started>;
  /** Asks for the address of a file's content. */
  address(started: Started, path: string): Promise<{ url: string; md5sum_base64: string }>;
  /** Sends all files of an upload. */
  send(started: Started, files: Readonly<Record<string, string>>): Promise<void>;
  publish(version: string, files: Readonly<Record<string, string>>): Promise<void>;
}

export interface CallOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export async function createRig({ data, ...options }: Partial<OpenRegistryOptions> = {}): Promise<Rig> {
  const folder = data ?? (await temporaryFolder());
  const errors: unknown[] = [];
  const swept: Swept[] = [];
  const registry = await openRegistry({
    ...options,
    onSwept: (found) => swept.push(found),
    data: folder,
    identity: namesAsTokens,
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => registry.close().catch(() => {}));

  const rig: Rig = {
    data: folder,
    registry,
    errors,
    swept,
    async call(method, path, { token, body, headers = {} } = {}) {
      return registry.fetch(
        new Request(new URL(path, 'http://registry.test'), {
          method,
          headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
          ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        }),
      );
    },
    async json(path) {
      return (await rig.call('GET', `/file/${encodeURIComponent(path)}`)).json();
    },
    async start(version, files) {
      const announced = Object.entries(files).map(([path, content]) => ({
        type: 'simple',
        path,
        size: Buffer.byteLength(content),
        md5sum: md5(content),
      }));
      const answer = await rig.call('POST', `/upload/start/p/a/${version}`, {
        token: 'owner',
        body: { files: announced },
      });
      return checked<Started>(answer);
    },
    async address({ file_urls, session_token }, path) {
      const file = file_urls.find((entry) => entry.path === path);
      if (file === undefined) throw new Error(`${path} is not to be sent.`);
      return checked(await rig.call('POST', file.url, { token: session_token }));
    },
    async send(started, files) {
      for (const [path, body] of Object.entries(files)) {
        const { url, md5sum_base64 } = await rig.address(started, path);
        const answer = await rig.call('PUT', url, { body, headers: { 'content-md5': md5sum_base64 } });
        if (answer.status !== 200) throw new Error(await answer.text());
      }
    },
    async publish(version, files) {
      const started = await rig.start(version, files);
      await rig.send(started, files);
      const answer = await rig.call('POST', started.complete_url, { token: started.session_token });
      if (answer.status !== 200) throw new Error(await answer.text());
    },
  };
  if (data === undefined) {
    await rig.call('POST', '/create/p', { token: 'admin', body: { permissions: { owners: ['owner'] } } });
  }
  return rig;
}

async function checked<T>(answer: Response): Promise<T> {
  if (answer.status !== 200) throw new Error(await answer.text());
  return (await answer.json()) as T;
}
