// One run of one case, in a process of its own: prints its seconds and its peak memory.
//   node case.mjs CASE setup|ours|yardstick REGISTRY_URL FOLDER
import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MANY } from './many-files.mjs';

const [name, who, url, folder] = process.argv.slice(2);
const cacheDir = join(folder, 'cache');
const clone = join(folder, 'clone');
mkdirSync(folder, { recursive: true });

/** What has to be there before the clock starts is made in a process of its own: its memory is not the case's. */
const cases = {
  'clone-no-download': {
    setup: async () => {},
    ours: async (client) => client.cloneVersion(MANY, clone, { download: false }),
    yardstick: bareLinks,
  },
  'clone-warm': {
    setup: async (client) => client.fetchManifest(MANY),
    ours: async (client) => client.cloneVersion(MANY, clone, { download: false }),
    yardstick: bareLinks,
  },
  prepare: {
    setup: async (client) => client.cloneVersion(MANY, clone, { download: false }),
    async ours(client) {
      const { files, links } = await client.prepareDirectoryUpload(clone);
      if (files.length > 0 || links.length === 0) throw new Error('a fresh clone has links alone');
    },
    yardstick: async () => readAll(clone),
  },
};

const run = cases[name][who];
const { createClient } = who === 'yardstick' ? { createClient: () => undefined } : await import('gypsum-client');
const client = createClient({ url, cacheDir });
const paths = who === 'yardstick' ? await readPaths() : [];
const began = performance.now();
await run(client);
const seconds = (performance.now() - began) / 1000;
process.stdout.write(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));

/** The list is in memory before the clock starts: only the links count. */
async function readPaths() {
  const key = `${MANY.project}/${MANY.asset}/${MANY.version}/..manifest`;
  const answer = await fetch(`${url}/file/${encodeURIComponent(key)}`);
  return Object.keys(await answer.json());
}

function bareLinks() {
  const bucket = join(cacheDir, 'bucket', MANY.project, MANY.asset, MANY.version);
  const made = new Set();
  for (const path of paths) {
    const target = join(clone, path);
    const parent = dirname(target);
    if (!made.has(parent)) mkdirSync(parent, { recursive: true });
    made.add(parent);
    symlinkSync(join(bucket, path), target);
  }
}

function readAll(root) {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) readAll(path);
    else if (entry.isSymbolicLink()) lstatSync(readlinkSync(path), { throwIfNoEntry: false });
  }
}
