// What the cases read: versions in one registry, made once for all cases of a run, and nginx that serves the same files.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startNginx, startRegistry } from './servers.mjs';

/** How many files the version has that a world is about. */
export const WORLDS = { small: 10_000, large: 4, many: 100_000, links: 1_000_000 };

const run = promisify(execFile);
const script = fileURLToPath(new URL('./make-world.mjs', import.meta.url));

export function refOf(world, entries) {
  return { project: 'bench', asset: `${world}-${entries}`, version: world === 'links' ? 'v2' : 'v1' };
}

/** The world of links has a tree, too: as many entries with modes and times, every fourth of which is a symlink. */
export function treeOf(entries) {
  return { project: 'bench', asset: `tree-${entries}`, version: 'v1' };
}

/** Opens worlds when they are first asked for. */
export function openWorlds(folder, { small }) {
  let servers;
  const made = new Set();

  async function start() {
    const home = join(folder, 'worlds');
    const registry = await startRegistry(home);
    return { home, registry, nginx: await startNginx(home, registry) };
  }

  return {
    /** Gives what cases are told of a world: `url` has nginx in front, if there is one; `registryUrl` is the registry alone. */
    async get(name, entries) {
      servers ??= await start();
      const { home, registry, nginx } = servers;
      const ref = refOf(name, entries);
      if (!made.has(ref.asset)) {
        // In a process of its own: what is measured must not be begun by a large one.
        const words = [name, registry.data, String(entries), registry.url, registry.token, String(small)];
        await run(process.execPath, [script, ...words]);
        made.add(ref.asset);
      }
      const { url: registryUrl, token } = registry;
      return { name, entries, home, ref, url: nginx?.url ?? registryUrl, registryUrl, token };
    },
    async close() {
      await servers?.nginx?.stop();
      await servers?.registry.stop();
    },
  };
}
