// One run of one case, in a process of its own: prints its seconds and its peak memory.
//   node case.mjs CASE ours|yardstick REGISTRY_URL FOLDER
import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MANY } from './many-files.mjs';

const [name, who, url, folder] = process.argv.slice(2);
const cacheDir = join(folder, 'cache');
const clone = join(folder, 'clone');
mkdirSync(folder);

const cases = {
  'clone-no-download': {
    async ours() {
      const { client } = await connect();
      return () => client.cloneVersion(MANY, clone, { download: false });
    },
    yardstick: bareLinks,
  },
  'clone-warm': {
    async ours() {
      const { client } = await connect();
      await client.fetchManifest(MANY);
      return () => client.cloneVersion(MANY, clone, { download: false });
    },
    yardstick: bareLinks,
  },
  prepare: {
    async ours() {
      const { client } = await connect();
      await client.cloneVersion(MANY, clone, { download: false });
      return async () => {
        const { files, links } = await client.prepareDirectoryUpload(clone);
        if (files.length > 0 || links.length === 0) throw new Error('a fresh clone has links alone');
      };
    },
    async yardstick() {
      const { client } = await connect();
      await client.cloneVersion(MANY, clone, { download: false });
      return () => readAll(clone);
    },
  },
};

const run = await cases[name][who]();
const began = performance.now();
await run();
const seconds = (performance.now() - began) / 1000;
process.stdout.write(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));

async function connect() {
  const { createClient } = await import('gypsum-client');
  return { client: createClient({ url, cacheDir }) };
}

/** The list is in memory before the clock starts: only the links count. */
async function bareLinks() {
  const answer = await fetch(
    `${url}/file/${encodeURIComponent(`${MANY.project}/${MANY.asset}/${MANY.version}/..manifest`)}`,
  );
  const paths = Object.keys(await answer.json());
  const bucket = join(cacheDir, 'bucket', MANY.project, MANY.asset, MANY.version);
  return () => {
    const made = new Set();
    for (const path of paths) {
      const target = join(clone, path);
      const parent = dirname(target);
      if (!made.has(parent)) mkdirSync(parent, { recursive: true });
      made.add(parent);
      symlinkSync(join(bucket, path), target);
    }
  };
}

function readAll(root) {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) readAll(path);
    else if (entry.isSymbolicLink()) lstatSync(readlinkSync(path), { throwIfNoEntry: false });
  }
}
