// One run of one case, in a process of its own: prints its seconds and its peak memory.
//   node case.mjs CASE setup|ours|yardstick REGISTRY_URL FOLDER
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { MANY, TREE } from './many-files.mjs';

const [name, who, url, folder] = process.argv.slice(2);
const cacheDir = join(folder, 'cache');
const clone = join(folder, 'clone');
const source = join(folder, 'source');
const largeFiles = Array.from({ length: 8 }, (_, n) => `large-${n}`);
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
  status: {
    setup: cloneCached,
    async ours(client) {
      const { clean, states } = await client.cloneStatus(clone);
      if (!clean || states.linked.files === 0) throw new Error('a fresh clone is clean');
    },
    yardstick: async () => readAll(clone),
  },
  diff: {
    setup: cloneCached,
    async ours(client) {
      if ((await client.diffClone(clone)).changes.length > 0) throw new Error('a fresh clone is as its version');
    },
    yardstick: async () => readAll(clone),
  },
  restore: {
    setup: cloneCached,
    async ours(client) {
      const { unchanged, left } = await client.restoreFiles([clone], { all: true });
      if (unchanged === 0 || left.length > 0) throw new Error('a fresh clone has nothing to restore');
    },
    yardstick: async () => readAll(clone),
  },
  stage: {
    setup: cloneCached,
    async ours(client) {
      if ((await client.planStage([clone], { all: true })).steps.length === 0) throw new Error('all can be staged');
    },
    yardstick: async () => readAll(clone),
  },
  checkout: {
    setup: cloneCached,
    async ours(client) {
      const { steps } = await client.planCheckout({ ...MANY, version: 'v1' }, clone);
      if (steps.length === 0) throw new Error('the other version has other files');
    },
    yardstick: async () => readAll(clone),
  },
  'export-tar': {
    setup: cloneCached,
    ours: (client) => exportTo(client, 'export.tar'),
    yardstick: bareTar,
  },
  'export-folder': {
    setup: cloneCached,
    ours: (client) => exportTo(client, 'export'),
    yardstick: bareCopies,
  },
  link: {
    async setup(client) {
      // Empty, since a million others take 8 GB of disk.
      for (const path of Object.keys(await client.fetchManifest(MANY))) {
        for (const root of [source, clone]) {
          mkdirSync(dirname(join(root, path)), { recursive: true });
          writeFileSync(join(root, path), '');
        }
      }
    },
    async ours() {
      const { counts, files } = await linkFolders(source, clone);
      if (files.length === 0 || counts.linked < files.length) throw new Error('equal files can be linked');
    },
    yardstick: linkAll,
  },
  ls: {
    clock: cpuSeconds,
    setup: async (client) => client.readTree(TREE),
    async ours(client) {
      const tree = await client.readTree(TREE);
      const { entries } = listTree(tree, '/part-0');
      const { kind } = realpath(tree, '/part-0/../part-0/sample-0.parquet');
      if (entries.length === 0 || kind !== 'found') throw new Error('the tree is not whole');
    },
    yardstick: parseTexts,
  },
  tree: {
    clock: cpuSeconds,
    setup: async (client) => client.readTree(TREE),
    async ours(client) {
      const tree = await client.readTree(TREE);
      if (renderTree(tree).split('\n').length < tree.entries.length) throw new Error('the tree is not whole');
    },
    yardstick: parseTexts,
  },
  digest: {
    async setup() {
      mkdirSync(source);
      for (const name of largeFiles) writeFileSync(join(source, name), Buffer.alloc(16 * 1024 * 1024, name));
    },
    ours: async (client) => client.planUpload({ ...MANY, asset: 'large' }, source),
    async yardstick() {
      for (const name of largeFiles) digestAlone(join(source, name));
    },
  },
};

const run = cases[name][who];
const { createClient, linkFolders, listTree, realpath, renderTree } =
  who === 'yardstick' ? { createClient: () => undefined } : await import('gypsum-client');
const client = createClient({ url, cacheDir });
const paths = who === 'yardstick' ? await readPaths() : [];
const clock = cases[name].clock ?? (() => performance.now() / 1000);
const began = clock();
await run(client);
const seconds = clock() - began;
process.stdout.write(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));

/** The list is in memory before the clock starts: only the links count. */
async function readPaths() {
  const key = `${MANY.project}/${MANY.asset}/${MANY.version}/..manifest`;
  const answer = await fetch(`${url}/file/${encodeURIComponent(key)}`);
  return Object.keys(await answer.json());
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function parseTexts() {
  const names = [TREE.project, TREE.asset, TREE.version];
  const manifest = join(cacheDir, '.gypsum-client/1/versions', ...names, '..manifest');
  for (const path of [manifest, join(cacheDir, 'bucket', ...names, '.gypsum-tree.json')]) {
    JSON.parse(readFileSync(path, 'utf8'));
  }
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

function cloneCached(client) {
  return client.cloneVersion(MANY, clone);
}

async function exportTo(client, name) {
  const { files, changes } = await client.exportClone(clone, join(folder, name));
  if (files === 0 || changes.unchanged.files < files) throw new Error('all of a fresh clone is as its version');
}

function bareTar() {
  const tar = openSync(join(folder, 'bare.tar'), 'wx');
  for (const path of paths) {
    const content = readFileSync(join(clone, path));
    writeSync(tar, Buffer.alloc(512, path));
    writeSync(tar, content);
    writeSync(tar, Buffer.alloc(-content.length & 511));
  }
  closeSync(tar);
}

function bareCopies() {
  for (const path of paths) {
    const target = join(folder, 'bare', path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(clone, path), target);
  }
}

function linkAll() {
  for (const path of paths) {
    const [from, to] = [join(source, path), join(clone, path)];
    if (!readFileSync(from).equals(readFileSync(to))) throw new Error('they are equal');
    symlinkSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  }
}

function digestAlone(path) {
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  const hash = createHash('md5');
  const file = openSync(path, 'r');
  for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk))
    hash.update(chunk.subarray(0, length));
  closeSync(file);
  return hash.digest('hex');
}

function readAll(root) {
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) readAll(path);
    else if (entry.isSymbolicLink()) lstatSync(readlinkSync(path), { throwIfNoEntry: false });
  }
}
