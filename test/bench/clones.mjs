// A version is laid out in a folder, and the folder is looked at.

import { join } from 'node:path';
import { bareLinks, call, readAll } from './bare.mjs';

const MANY = { world: 'many', memory: 250 };

export const CLONES = [
  {
    name: 'clone-no-download',
    what: 'clone of 100,000 files with `download: false`; bare loop of symlinkSync over the same list',
    ...MANY,
    target: 0.8,
    ours: ({ client, ref, clone }) => client.cloneVersion(ref, clone, { download: false }),
    yardstick: bareLinks,
  },
  {
    name: 'clone-warm',
    what: 'clone of 100,000 files that the cache has; bare loop of symlinkSync over the same list',
    ...MANY,
    standing: 'saved',
    target: 0.8,
    requests: () => 0,
    ours: ({ client, ref, clone }) => client.cloneVersion(ref, clone),
    yardstick: bareLinks,
  },
  {
    name: 'status',
    what: 'status of a fresh clone of 100,000 files; bare loop of readdir, readlink and lstat of the target',
    ...MANY,
    standing: 'cloned',
    target: 1.5,
    async ours({ client, clone }) {
      const { clean, states } = await client.cloneStatus(clone);
      if (!clean || states.linked.files === 0) throw new Error('a fresh clone is clean');
    },
    yardstick: ({ clone }) => readAll(clone),
  },
  {
    name: 'prepare',
    what: 'prepare of a fresh clone of 100,000 files; the same bare loop',
    ...MANY,
    standing: 'cloned',
    target: 1.5,
    async ours({ client, clone }) {
      const { files, links } = await client.prepareDirectoryUpload(clone);
      if (files.length > 0 || links.length === 0) throw new Error('a fresh clone has links alone');
    },
    yardstick: ({ clone }) => readAll(clone),
  },
  {
    name: 'stage-all',
    what: 'stage of all of a clone of 10,000 files of 1 to 4 KiB; cp -rL of the clone',
    world: 'small',
    standing: 'saved',
    target: 1.5,
    prepare: ({ client, ref, clone }) => client.cloneVersion(ref, clone),
    ours: ({ client, clone }) => client.stageFiles([clone], { all: true }),
    needs: ['cp'],
    yardstick: ({ clone, folder }) => call('cp', ['-rL', clone, join(folder, 'copy')]),
  },
];
