// A replica of a folder of many files, ours beside rsync, each as a process of its own.
import { execFile, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Units: seconds, of a process from its begin to its end, but where another time is said. */
export const REPLICA_CASES = {
  'sync-first': 'sync to a new folder; rsync -a --delete',
  'sync-idle': 'sync to an equal folder; rsync -a --delete',
  'sync-changed': 'sync once 1 % of the files have changed; rsync -a --delete',
  'sync-renamed': 'sync once a folder of 10,000 of the files has another name; rsync -a --delete, which copies them',
  'sync-large': 'sync of 4 files of 256 MiB to a new folder; rsync -a --delete',
  'replicate-idle':
    'the minute of replicate behind its first look, in which nothing happens; rsync -a --delete once. Seconds of CPU',
  'sync-million': 'the most memory that a first sync of a million files takes, and one to an equal folder; 1.2 GiB',
  'replicate-million': 'the most memory that replicate of a million files takes: new, begun again, at idle; 1.2 GiB',
};

/** What ratios have to be at most. */
export const REPLICA_TARGETS = {
  'sync-first': 1,
  'sync-idle': 1.5,
  'sync-changed': 1.5,
  'sync-million': 1,
  'replicate-million': 1,
};

/** What is run of a source and a new destination, one process after the other. */
const MILLION = {
  'sync-million': Array(2).fill(`
    const { syncFolders } = await import('gypsum-client');
    const { failures } = await syncFolders(source, destination, { force: true });
    if (failures.length > 0) throw new Error(failures[0].message);
    tell({});`),
  'replicate-million': Array(2).fill(`
    const { replicateFolders } = await import('gypsum-client');
    const end = new AbortController();
    let looks = 0;
    const onEvent = ({ type, task }) => type === 'end' && task === 'change' && ++looks === 3 && end.abort();
    const stateDir = destination + '-state';
    await replicateFolders(source, destination, { every: 500, watch: false, until: end.signal, onEvent, stateDir });
    tell({});`),
};

/** Units: MiB */
const LIMIT = 1.2 * 1024;

const CONTENT = Buffer.alloc(1024, 'gypsum ').toString();

/** What happens to the source behind the first run; the folder `moving` holds up to 10,000 files. */
const CHANGES = {
  'sync-idle': () => {},
  'sync-changed'(source, paths) {
    for (let at = 0; at < paths.length; at += 100) writeFileSync(join(source, paths[at]), `changed ${at}`);
  },
  'sync-renamed': (source) => renameSync(join(source, 'moving'), join(source, 'moved')),
  'replicate-idle': () => {},
};

const run = promisify(execFile);

const COMMAND = new URL('../../dist/src/cli/main.js', import.meta.url).href;

/** How each makes a replica, as a command; gives the peak of its memory, in MiB, where that is known. */
const SYNC = {
  async ours(source, destination) {
    const { peakMiB } = await runOurs(
      `
      process.env.GYPSUM_STATE_DIR = destination + '-state';
      process.argv = [process.execPath, 'gypsum', 'sync', '--force', source, destination];
      process.on('exit', () => tell({}));
      await import('${COMMAND}');`,
      [source, destination],
    );
    return peakMiB;
  },
  async yardstick(source, destination) {
    await run('rsync', ['-a', '--delete', `${source}/`, `${destination}/`]);
  },
};

/** Seconds of CPU of replicas at rest. */
const IDLE = {
  ours(source, destination, minute) {
    return runOurs(
      `
      const { replicateFolders } = await import('gypsum-client');
      const end = new AbortController();
      let isOver;
      const looked = new Promise((resolve) => (isOver = resolve));
      const onEvent = ({ type, task }) => type === 'end' && task === 'change' && isOver();
      const replica = replicateFolders(source, destination, { every: 500, until: end.signal, onEvent });
      await Promise.race([replica, looked]);
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, minute));
      const { user, system } = process.cpuUsage(before);
      end.abort();
      await replica;
      tell({ seconds: (user + system) / 1e6 });`,
      [source, destination, minute],
    );
  },
  async yardstick(source, destination) {
    const words = ['-c', 'rsync -a --delete "$0/" "$1/"; times', source, destination];
    // The shell's own times are in the first line, those of its children in the second one.
    const [user, system] = (await run('sh', words)).stdout.split('\n')[1].split(' ');
    return { seconds: toSeconds(user) + toSeconds(system) };
  },
};

/** Runs a script that is given a source, a destination and a time; it tells something in its last line, and so what its memory was at most. */
async function runOurs(script, values) {
  const frame = `
    const [source, destination, minute] = JSON.parse(process.argv[1]);
    const tell = (result) =>
      process.stdout.write('\\n' + JSON.stringify({ ...result, peakMiB: process.resourceUsage().maxRSS / 1024 }));
    ${script}`;
  const words = ['--input-type=module', '-e', frame, '--', JSON.stringify(values)];
  const { stdout } = await run(process.execPath, words, { cwd: import.meta.dirname });
  return JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1));
}

function toSeconds(text) {
  const [minutes, seconds] = text.split('m');
  return Number(minutes) * 60 + Number.parseFloat(seconds);
}

/** Runs one case in turn for both, and gives its row. */
export async function runReplicaCase(name, folder, { entries, small, rounds }) {
  if (name in MILLION) return measureMemory(name, join(folder, name), entries);
  const hasRsync = spawnSync('rsync', ['--version']).status === 0;
  const seconds = { ours: [], yardstick: [] };
  const memory = [];
  const works = [];
  let paths = [];
  for (let round = 0; round < rounds; round++) {
    for (const who of hasRsync ? ['ours', 'yardstick'] : ['ours']) {
      const work = join(folder, `${name}-${who}-${round}`);
      const [source, destination] = ['source', 'destination'].map((one) => join(work, one));
      works.push(work);
      await mkdir(work);
      paths = name === 'sync-large' ? makeLarge(source, small) : makeFiles(source, entries);
      if (name in CHANGES) {
        await SYNC[who](source, destination);
        CHANGES[name](source, paths);
      }
      const measured = await (name === 'replicate-idle'
        ? IDLE[who](source, destination, small ? 2_000 : 60_000)
        : measure(() => SYNC[who](source, destination)));
      seconds[who].push(measured.seconds);
      if (measured.peakMiB !== undefined) memory.push(measured.peakMiB);
    }
  }
  // Deleting just before a run slows some file systems down tenfold.
  for (const work of works) await rm(work, { recursive: true });
  const [ours, yardstick] = [median(seconds.ours), median(seconds.yardstick)];
  const ratio = yardstick === undefined ? undefined : ours / yardstick;
  return { case: name, entries: paths.length, ours, yardstick, ratio, unit: 's', peakMiB: Math.max(...memory) };
}

async function measureMemory(name, work, entries) {
  const [source, destination] = ['source', 'destination'].map((one) => join(work, one));
  makeFiles(source, entries);
  const peaks = [];
  for (const script of MILLION[name]) peaks.push((await runOurs(script, [source, destination])).peakMiB);
  await rm(work, { recursive: true });
  const ours = Math.max(...peaks);
  return { case: `${name}-memory`, entries, ours, yardstick: LIMIT, ratio: ours / LIMIT, unit: 'MiB' };
}

async function measure(work) {
  const began = performance.now();
  const peakMiB = await work();
  return { seconds: (performance.now() - began) / 1000, peakMiB };
}

function makeLarge(source, small) {
  mkdirSync(source, { recursive: true });
  const paths = ['a', 'b', 'c', 'd'];
  // Piece by piece: a process that is begun has, for Linux, at least the peak of the one that begins it.
  for (const path of paths) {
    for (let piece = 0; piece < (small ? 1 : 256); piece++) {
      appendFileSync(join(source, path), Buffer.alloc(1024 * 1024, `${path}${piece}`));
    }
  }
  return paths;
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
