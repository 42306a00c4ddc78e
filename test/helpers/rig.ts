import { createHash } from 'node:crypto';
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type MockRegistry, type MockRegistryOptions, type Seed, startMockRegistry } from '../../mocks/index.ts';
import { type Client, type ContextOptions, createClient, type GypsumEvent } from '../../src/index.ts';
import { entriesBelow } from './entries-below.ts';
import { currentOddities } from './oddities.ts';
import { tempFolder } from './temp-folder.ts';

export interface Rig {
  readonly registry: MockRegistry;
  readonly client: Client;
  readonly folder: string;
  readonly cacheDir: string;
  /** Where uploads are written down. */
  readonly stateDir: string;
  /** All events of calls that were given `watch`. */
  readonly events: GypsumEvent[];
  readonly watch: { readonly onEvent: (event: GypsumEvent) => void };
  /** Another client of the same registry. */
  connect(options?: Partial<ContextOptions>): Client;
  /** Makes a folder below the rig's own, with files by path. */
  makeFolder(name: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<string>;
}

/** A seeded registry on a loopback port, an empty cache, and a client that retries at once. */
export async function createRig(
  seed: Seed = {},
  oddities: MockRegistryOptions['oddities'] = currentOddities(),
): Promise<Rig> {
  const folder = await tempFolder();
  const failures: unknown[] = [];
  const registry = await startMockRegistry({
    seed,
    onError: (error) => void failures.push(error),
    ...(oddities !== undefined && { oddities }),
  });
  const cacheDir = join(folder, 'cache');
  const stateDir = join(folder, 'state');
  const events: GypsumEvent[] = [];
  const clients: Client[] = [];
  const connect = (options: Partial<ContextOptions> = {}) => {
    const client = createClient({
      url: registry.url,
      token: registry.token,
      cacheDir,
      stateDir,
      retryDelay: 1,
      ...options,
    });
    clients.push(client);
    return client;
  };
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await registry.close();
    if (failures.length > 0) throw new AggregateError(failures, 'the registry itself failed');
  });
  return {
    registry,
    client: connect(),
    folder,
    cacheDir,
    stateDir,
    events,
    watch: { onEvent: (event) => void events.push(event) },
    connect,
    async makeFolder(name, files) {
      const root = join(folder, name);
      await mkdir(root, { recursive: true });
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), content);
      }
      return root;
    },
  };
}

export function md5(content: string | Uint8Array): string {
  return createHash('md5').update(content).digest('hex');
}

/** Reads a folder as `{path: content}`, with links as `-> text`; folders are not named. */
export async function readTree(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const entry of entriesBelow(root)) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(root.length + 1);
    if (entry.isSymbolicLink()) tree[name] = `-> ${await readlink(path)}`;
    else if (entry.isFile()) tree[name] = await readFile(path, 'utf8');
  }
  return tree;
}
