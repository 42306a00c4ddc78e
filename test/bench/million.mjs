// Once with a million entries, to see that it takes no more than 1.2 GiB of memory.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bareCopies, bareLinks, bareTar, linkAll, readAll } from './bare.mjs';
import { CLONES } from './clones.mjs';

const MILLION = { world: 'many', entries: 1_000_000, memory: 1229, rounds: 1 };

/** Cases that change nothing of a clone, and so read one that is made once. */
const READING = { ...MILLION, standing: 'cloned', yardstick: ({ clone }) => readAll(clone) };

/** Cases that change a clone, and so have one of their own, of files that the cache has. */
const CHANGING = {
  ...MILLION,
  standing: 'saved',
  prepare: ({ client, ref, clone }) => client.cloneVersion(ref, clone),
};

const clones = Object.fromEntries(CLONES.map(({ name, ours, yardstick }) => [name, { ours, yardstick }]));

export const MILLIONS = [
  {
    name: 'clone-million',
    what: 'clone with `download: false`, a million entries; bare loop of symlinkSync',
    ...MILLION,
    ...clones['clone-no-download'],
  },
  {
    name: 'clone-first-million',
    what: 'clone of a million different files, none of which the cache has; bare loop of symlinkSync',
    ...MILLION,
    ours: ({ client, ref, clone }) => client.cloneVersion(ref, clone),
    yardstick: bareLinks,
  },
  {
    name: 'status-million',
    what: 'status of a clone of a million entries; bare loop of readdir, readlink and lstat of the target',
    ...READING,
    ...clones.status,
  },
  { name: 'prepare-million', what: 'prepare of such a clone; the same bare loop', ...READING, ...clones.prepare },
  {
    name: 'diff-million',
    what: 'diff of such a clone with its version; the same bare loop',
    ...READING,
    async ours({ client, clone }) {
      if ((await client.diffClone(clone)).changes.length > 0) throw new Error('a fresh clone is as its version');
    },
  },
  {
    name: 'restore-million',
    what: 'restore of all of such a clone, where nothing is to be done; the same bare loop',
    ...READING,
    async ours({ client, clone }) {
      const { unchanged, left } = await client.restoreFiles([clone], { all: true });
      if (unchanged === 0 || left.length > 0) throw new Error('a fresh clone has nothing to restore');
    },
  },
  {
    name: 'stage-million',
    what: 'plan to stage all of such a clone; the same bare loop',
    ...READING,
    async ours({ client, clone }) {
      if ((await client.planStage([clone], { all: true })).steps.length === 0) throw new Error('all can be staged');
    },
  },
  {
    name: 'checkout-million',
    what: 'plan to have such a clone go over to a version with one other file; the same bare loop',
    ...READING,
    async ours({ client, clone, ref }) {
      const { steps } = await client.planCheckout({ ...ref, version: 'other' }, clone);
      if (steps.length === 0) throw new Error('the other version has other files');
    },
  },
  {
    name: 'stage-all-million',
    what: 'stage of all of such a clone; bare loop of copyFileSync',
    ...CHANGING,
    ours: ({ client, clone }) => client.stageFiles([clone], { all: true }),
    yardstick: bareCopies,
  },
  {
    name: 'checkout-back-million',
    what: 'such a clone goes over to a version with one file, and back; bare loop of symlinkSync',
    ...CHANGING,
    async ours({ client, clone, ref }) {
      for (const version of ['other', ref.version]) await client.checkoutVersion({ ...ref, version }, clone);
    },
    yardstick: (run) => bareLinks({ ...run, clone: join(run.folder, 'bare') }),
  },
  {
    name: 'export-million',
    what: 'export of such a clone to a tar file; bare loop that reads its files, and writes them to one',
    ...READING,
    ours: (run) => exportTo(run, 'export.tar'),
    yardstick: bareTar,
  },
  {
    name: 'export-folder-million',
    what: 'export of such a clone to a folder; bare loop of copyFileSync',
    ...READING,
    ours: (run) => exportTo(run, 'export'),
    yardstick: bareCopies,
  },
  {
    name: 'link-million',
    what: 'link of two folders of a million equal files; bare loop that reads both, and puts links in one',
    ...MILLION,
    async prepare({ client, ref, folder }) {
      // Empty, since a million others take 8 GB of disk.
      for (const path of Object.keys(await client.fetchManifest(ref))) {
        for (const root of ['source', 'equal']) {
          mkdirSync(dirname(join(folder, root, path)), { recursive: true });
          writeFileSync(join(folder, root, path), '');
        }
      }
    },
    async ours({ gypsum, folder }) {
      const { counts, files } = await gypsum.linkFolders(join(folder, 'source'), join(folder, 'equal'));
      if (files.length === 0 || counts.linked < files.length) throw new Error('equal files can be linked');
    },
    yardstick: ({ paths, folder }) => linkAll(paths, join(folder, 'source'), join(folder, 'equal')),
  },
];

async function exportTo({ client, clone, folder }, name) {
  const { files, changes } = await client.exportClone(clone, join(folder, name));
  if (files === 0 || changes.unchanged.files < files) throw new Error('all of a fresh clone is as its version');
}
