// A version is fetched into the cache.
import { curlAll, listForCurl, lookAtAll } from './bare.mjs';

const curl = {
  needs: ['curl', 'md5sum'],
  prepare: (run) => (run.who === 'yardstick' ? listForCurl(run) : undefined),
  yardstick: curlAll,
};

export const SAVING = [
  {
    name: 'save-small',
    what: 'save of 10,000 files of 1 to 4 KiB, cold; curl --parallel --parallel-max 16 of the same URLs, then md5sum -c',
    world: 'small',
    target: 0.8,
    ours: ({ client, ref }) => client.saveVersion(ref),
    ...curl,
  },
  {
    name: 'save-bulk',
    what: 'the same from the embedded registry, which gives many files in one answer; curl of the same URLs of that registry',
    world: 'small',
    target: 0.8,
    isDirect: true,
    ours: ({ client, ref }) => client.saveVersion(ref),
    ...curl,
  },
  {
    name: 'save-large',
    what: 'save of 4 files of 256 MiB, cold; curl and md5sum as for small ones',
    world: 'large',
    target: 0.6,
    isHeavy: true,
    ours: ({ client, ref }) => client.saveVersion(ref),
    ...curl,
  },
  {
    name: 'save-known',
    what: 'save of a version of 10,000 files, 99 % of which an older version in the cache has; our save of the 1 % alone, cold',
    world: 'small',
    target: 1.5,
    isOurs: true,
    /** The manifest, the summary, and what has changed. */
    requests: (entries) => 2 + Math.ceil(entries / 100),
    prepare: ({ who, client, ref }) => (who === 'ours' ? client.saveVersion(ref) : undefined),
    async ours({ client, ref, entries }) {
      const { fetched, files } = await client.saveVersion({ ...ref, version: 'v2' });
      if (files !== entries || fetched.contents !== Math.ceil(entries / 100)) throw new Error('1 % is new');
    },
    yardstick: ({ client, ref }) => client.saveVersion({ ...ref, version: 'v3' }),
  },
  {
    name: 'save-warm',
    what: 'save of 10,000 files that the cache has; bare loop of lstat over them',
    world: 'small',
    standing: 'saved',
    target: 1.5,
    requests: () => 0,
    async ours({ client, ref }) {
      if ((await client.saveVersion(ref)).fetched.contents > 0) throw new Error('all is there');
    },
    yardstick: lookAtAll,
  },
  {
    name: 'save-many',
    what: 'save of 100,000 files of a few bytes, cold; curl --parallel --parallel-max 16, then md5sum -c',
    world: 'many',
    memory: 250,
    ours: ({ client, ref }) => client.saveVersion(ref),
    ...curl,
  },
];
