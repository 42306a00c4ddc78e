// A replica of a folder of many files, ours beside rsync, each as a process of its own.
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Units: seconds, of a process from its begin to its end. */
export const REPLICA_CASES = {
  'sync-first': 'sync to a new folder; rsync -a --delete',
  'sync-idle': 'sync to an equal folder; rsync -a --delete',
  'sync-changed': 'sync once 1 % of the files have changed; rsync -a --delete',
  'sync-renamed': 'sync once a folder of 10,000 of the files has another name; rsync -a --delete, which copies them',
};

const CONTENT = Buffer.alloc(1024, 'gypsum ').toString();

/** What happens to the source behind the first run; the folder `moving` holds up to 10,000 files. */
const CHANGES = {
  'sync-idle': () => {},
  'sync-changed'(source, paths) {
    for (let at = 0; at < paths.length; at += 100) writeFileSync(join(source, paths[at]), `changed ${at}`);
  },
  'sync-renamed': (source) => renameSync(join(source, 'moving'), join(source, 'moved')),
};

const sync = `
const { syncFolders } = await import('gypsum-client');
const { failures } = await syncFolders(process.argv[1], process.argv[2], { force: true });
if (failures.length > 0) throw new Error(failures[0].message);
process.stdout.write(String(process.resourceUsage().maxRSS / 1024));`;

/** How each makes a replica; gives the peak of its memory, in MiB, where that is known. */
const MAKERS = {
  async ours(source, destination) {
    const words = ['--input-type=module', '-e', sync, '--', source, destination];
    return Number((await promisify(execFile)(process.execPath, words, { cwd: import.meta.dirname })).stdout);
  },
  async yardstick(source, destination) {
    await promisify(execFile)('rsync', ['-a', '--delete', `${source}/`, `${destination}/`]);
  },
};

/** Runs one case in turn for both, and gives its row. */
export async function runReplicaCase(name, folder, { entries, rounds }) {
  const hasRsync = spawnSync('rsync', ['--version']).status === 0;
  const seconds = { ours: [], yardstick: [] };
  const memory = [];
  for (let round = 0; round < rounds; round++) {
    for (const who of hasRsync ? ['ours', 'yardstick'] : ['ours']) {
      const work = join(folder, `${name}-${who}-${round}`);
      const [source, destination] = ['source', 'destination'].map((one) => join(work, one));
      await mkdir(work);
      const paths = makeFiles(source, entries);
      if (name in CHANGES) {
        await MAKERS[who](source, destination);
        CHANGES[name](source, paths);
      }
      const began = performance.now();
      const peak = await MAKERS[who](source, destination);
      seconds[who].push((performance.now() - began) / 1000);
      if (peak !== undefined) memory.push(peak);
      await rm(work, { recursive: true });
    }
  }
  const [ours, yardstick] = [median(seconds.ours), median(seconds.yardstick)];
  const ratio = yardstick === undefined ? undefined : ours / yardstick;
  return { case: name, entries, ours, yardstick, ratio, unit: 's', peakMiB: Math.max(...memory) };
}

function makeFiles(source, entries) {
  const moving = Math.min(10_000, Math.floor(entries / 2));
  const paths = Array.from({ length: entries }, (_, n) =>
    n < moving ? `moving/file-${n}` : `part-${Math.floor(n / 1000)}/file-${n}`,
  );
  for (const folder of new Set(paths.map((path) => path.slice(0, path.indexOf('/'))))) {
    mkdirSync(join(source, folder), { recursive: true });
  }
  for (const [n, path] of paths.entries()) writeFileSync(join(source, path), `${n} ${CONTENT}`);
  return paths;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
