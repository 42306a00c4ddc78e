import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDocuments } from '../src/server/documents.ts';
import { createToken, diskStorage, listen, openRegistry, readTokens, writeTokens } from '../src/server/index.ts';
import { type Call, type CallFilter, describeCall, matchesCall } from './calls.ts';
import { type Fault, inFront } from './faults.ts';
import type { World } from './oddities/world.ts';
import { createOddities, type Oddities } from './oddities.ts';
import { publishSeed, type Seed } from './seed.ts';

export interface MockRegistryOptions {
  /** What is published before the first request. @default nothing */
  seed?: Seed;
  /** Where it is to be as the public registry is: in all ways, or in some. @default nowhere */
  oddities?: Oddities | 'public';
  /** Hears of failures that are the registry's own. */
  onError?: (error: unknown, request?: Request) => void;
}

export interface InjectOptions extends CallFilter {
  /** How many calls it meets. @default all */
  times?: number;
}

/**
 * The product's own registry, on a temporary folder, for tests: what it answers cannot drift from the protocol.
 *
 * Faults, oddities and counters are for requests that come in through `fetch` and the port, not for the seed.
 */
export interface MockRegistry {
  /** Where it is reached, without a trailing slash. */
  readonly url: string;
  /** The administrator's token. */
  readonly token: string;
  /** The folder of the registry's data. */
  readonly data: string;
  /** Every request since the start or the last `resetCalls`, in the order of arrival. */
  readonly calls: readonly Call[];
  fetch(request: Request): Promise<Response>;
  /** Puts a fault in front of the calls that the filter means; the first one put is the outermost. */
  inject(fault: Fault, options?: InjectOptions): void;
  clearFaults(): void;
  count(filter?: CallFilter): number;
  resetCalls(): void;
  /** Makes a token for a user that is no administrator. */
  addUser(name: string): Promise<string>;
  /** Publishes more. */
  publish(seed: Seed): Promise<void>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

interface Injected {
  readonly fault: Fault;
  readonly filter: CallFilter;
  left: number;
}

/** Makes a mock registry that is a function of a request; it has a `url`, at which nobody listens. */
export function createMockRegistry(options: MockRegistryOptions = {}): Promise<MockRegistry> {
  return create(options, () => 'http://bucket.gypsum.test');
}

/** Makes one whose content is put to `bucket`, where it is odd in that way. */
async function create({ seed, oddities, onError }: MockRegistryOptions, bucket: () => string): Promise<MockRegistry> {
  const data = await mkdtemp(join(tmpdir(), 'gypsum-mock-'));
  const registry = await openRegistry({ data, ...(onError === undefined ? {} : { onError }) });
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const url = 'http://gypsum.test';
  const calls: Call[] = [];
  let injected: Injected[] = [];

  const ask = (method: string, path: string, bearer: string | undefined, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (bearer !== undefined) headers.set('authorization', `Bearer ${bearer}`);
    return registry.fetch(new Request(new URL(path, url), { ...init, method, headers }));
  };
  const world = async (): Promise<World> => {
    const storage = await diskStorage(data);
    return {
      ask: (method, path, { token: bearer = token, document } = {}) =>
        ask(method, path, bearer, document === undefined ? {} : { body: JSON.stringify(document) }),
      storage,
      documents: createDocuments(storage),
      bucket,
    };
  };
  const odd = oddities === undefined ? [] : createOddities(oddities, await world());

  const mock: MockRegistry = {
    url,
    token,
    data,
    calls,
    async fetch(request) {
      const call = describeCall(request);
      calls.push(call);
      const met = injected.filter(({ left, filter }) => left > 0 && matchesCall(call, filter));
      for (const one of met) one.left--;
      return inFront([...met.map(({ fault }) => fault), ...odd], request, registry.fetch);
    },
    inject(fault, { times = Number.POSITIVE_INFINITY, ...filter } = {}) {
      injected.push({ fault, filter, left: times });
    },
    clearFaults() {
      injected = [];
    },
    count: (filter = {}) => calls.filter((call) => matchesCall(call, filter)).length,
    resetCalls() {
      calls.length = 0;
    },
    async addUser(name) {
      const file = join(data, 'tokens.json');
      const added = createToken(name);
      await writeTokens(file, [...(await readTokens(file)), added.record]);
      return added.token;
    },
    publish: (more) => publishSeed(more, ask, token),
    async close() {
      await registry.close();
      await rm(data, { recursive: true, force: true });
    },
  };
  if (seed === undefined) return mock;
  try {
    await mock.publish(seed);
  } catch (error) {
    await mock.close();
    throw error;
  }
  return mock;
}

/** Makes a mock registry that listens on a free loopback port. */
export async function startMockRegistry(options: MockRegistryOptions = {}): Promise<MockRegistry> {
  let bucket = '';
  const mock = await create(options, () => bucket);
  const listener = await listen(mock.fetch, { grace: 0 });
  const elsewhere = options.oddities && (await listen(mock.fetch, { grace: 0 }));
  bucket = elsewhere?.url ?? listener.url;
  return {
    ...mock,
    url: listener.url,
    async close() {
      await Promise.all([listener.close(), elsewhere?.close()]);
      await mock.close();
    },
  };
}
