// What takes the processor alone: the trees of cached versions, and digests.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestAlone, parseTexts } from './bare.mjs';
import { treeOf } from './worlds.mjs';

const largeFiles = Array.from({ length: 8 }, (_, n) => `large-${n}`);

/** The first time brings the texts into the cache, the second one has it keep what they say. */
export async function keepTree({ client, entries }) {
  for (let time = 0; time < 2; time++) await client.readTree(treeOf(entries));
}

const CACHED_TREE = {
  world: 'links',
  entries: 100_000,
  isCpu: true,
  prepare: keepTree,
  yardstick({ cacheDir, entries }) {
    const names = Object.values(treeOf(entries));
    const manifest = join(cacheDir, '.gypsum-client/1/versions', ...names, '..manifest');
    parseTexts([manifest, join(cacheDir, 'bucket', ...names, '.gypsum-tree.json')]);
  },
};

export const READING = [
  {
    name: 'ls',
    what: 'read the tree of a cached version of 100,000 entries, list a folder, resolve a path; JSON.parse of its texts',
    ...CACHED_TREE,
    async ours({ client, gypsum, entries }) {
      const tree = await client.readTree(treeOf(entries));
      const listed = gypsum.listTree(tree, '/part-0');
      const { kind } = gypsum.realpath(tree, '/part-0/../part-0/sample-0.parquet');
      if (listed.entries.length === 0 || kind !== 'found') throw new Error('the tree is not whole');
    },
  },
  {
    name: 'tree',
    what: 'read the tree of a cached version of 100,000 entries and draw all of it; JSON.parse of its texts',
    ...CACHED_TREE,
    async ours({ client, gypsum, entries }) {
      const tree = await client.readTree(treeOf(entries));
      if (gypsum.renderTree(tree).split('\n').length < tree.entries.length) throw new Error('the tree is not whole');
    },
  },
  {
    name: 'digest',
    what: 'plan of 128 MiB in 8 files; a loop that reads and hashes them on one thread',
    world: 'small',
    prepare({ folder, small }) {
      mkdirSync(join(folder, 'source'));
      for (const name of largeFiles) {
        writeFileSync(join(folder, 'source', name), Buffer.alloc((small ? 1 : 16) * 1024 * 1024, name));
      }
    },
    ours: ({ client, folder }) =>
      client.planUpload({ project: 'bench', asset: 'digests', version: 'v1' }, join(folder, 'source')),
    yardstick({ folder }) {
      for (const name of largeFiles) digestAlone(join(folder, 'source', name));
    },
  },
];
