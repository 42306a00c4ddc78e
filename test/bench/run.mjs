// Measures ours beside a yardstick, in turn, in one run; prints medians, ratios and peak memory.
//   npm run bench                     every case at 100,000 entries, three rounds; some once at a million, for memory
//   npm run bench -- --case prepare   one case
//   npm run bench -- --small          1,000 entries, one round: that the benchmark itself works
//   npm run bench -- --case clone-warm --entries 1000000    another number of entries, one round
//   npm run bench -- --json FILE      the results as JSON too
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { publishManyFiles } from './many-files.mjs';
import { REGISTRY_CASES, runRegistryCase } from './registry.mjs';
import { REPLICA_CASES, runReplicaCase } from './replica.mjs';

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    small: { type: 'boolean' },
    entries: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

/** Each case is a process of its own, ours and the yardstick's: only so is peak memory theirs alone. */
const CASES = {
  'clone-no-download': 'clone with `download: false`; bare loop of symlinkSync over the same list',
  'clone-warm': 'clone of a version that is remembered, without a request; bare loop of symlinkSync',
  prepare: 'prepare of a fresh clone; bare loop of readdir, readlink and lstat of the target',
  status: 'status of a fresh clone whose files are cached; the same bare loop',
  ls: 'read the tree of a cached version, list a folder, resolve a path; JSON.parse of its texts. Seconds of CPU',
  tree: 'read the tree of a cached version and draw all of it; JSON.parse of its texts. Seconds of CPU',
  'clone-million': 'clone-no-download, a million entries',
  'status-million': 'status, a million entries',
  'prepare-million': 'prepare of the same clone, a million entries',
  'diff-million': 'diff of such a clone with its version; the same bare loop',
  'restore-million': 'restore of all of such a clone, where nothing is to be done; the same bare loop',
  'stage-million': 'plan to stage all of such a clone; the same bare loop',
  'checkout-million': 'plan to have such a clone go over to a version with one other file; the same bare loop',
  'export-million': 'export of such a clone to a tar file; bare loop that reads its files, and writes them to one',
  'export-folder-million': 'export of such a clone to a folder; bare loop of copyFileSync',
  'link-million': 'link of two folders of a million equal files; bare loop that reads both, and puts links in one',
  digest: 'plan of 128 MiB in 8 files; a loop that reads and hashes them on one thread',
};

/** Cases that change nothing of a clone, and so read one of a million files, which takes minutes to make. */
const READING = {
  'prepare-million': 'prepare',
  'status-million': 'status',
  'diff-million': 'diff',
  'restore-million': 'restore',
  'stage-million': 'stage',
  'checkout-million': 'checkout',
  'export-million': 'export-tar',
  'export-folder-million': 'export-folder',
};

/** Cases that are run once with a million entries, to see that they take no more than 1.2 GiB of memory. */
const MILLION = { 'clone-million': 'clone-no-download', ...READING, 'link-million': 'link' };

const entries = Number(values.entries ?? (values.small ? 1_000 : 100_000));
const rounds = values.small || values.entries ? 1 : 3;
const all = { ...CASES, ...REPLICA_CASES, ...REGISTRY_CASES };
if (values.help) {
  const usage = 'npm run bench -- [--case NAME] [--small] [--entries NUMBER] [--json FILE]';
  process.stdout.write(
    `${usage}\n\n${Object.entries(all)
      .map(([name, what]) => `${name}: ${what}\n`)
      .join('')}`,
  );
  process.exit();
}
const names = values.case === undefined ? Object.keys(all) : [values.case];
for (const name of names) {
  if (!Object.hasOwn(all, name))
    throw new Error(`There is no case "${name}"; there are ${Object.keys(all).join(', ')}.`);
}

const folder = await mkdtemp(join(tmpdir(), 'gypsum-bench-'));
const results = [];
const registries = new Map();
const cloned = new Set();
try {
  for (const name of names) {
    if (Object.hasOwn(REGISTRY_CASES, name)) {
      results.push(await runRegistryCase(name, folder, { small: values.small, rounds }));
      continue;
    }
    if (Object.hasOwn(REPLICA_CASES, name)) {
      results.push(await runReplicaCase(name, folder, { entries, small: values.small, rounds }));
      continue;
    }
    const isMillion = Object.hasOwn(MILLION, name);
    const count = isMillion && !values.small && !values.entries ? 1_000_000 : entries;
    const registry = registries.get(count) ?? (await publishManyFiles(join(folder, `registry-${count}`), count));
    registries.set(count, registry);
    const run = (who, work) => measure(MILLION[name] ?? name, who, registry.url, work);
    const seconds = { ours: [], yardstick: [] };
    const memory = { ours: [], yardstick: [] };
    for (let round = 0; round < (isMillion ? 1 : rounds); round++) {
      for (const who of ['ours', 'yardstick']) {
        // Fresh folders for every run: deleting just before a run slows some file systems down tenfold.
        const work = join(folder, Object.hasOwn(READING, name) ? 'read' : `${name}-${who}-${round}`);
        if (!cloned.has(work)) await run('setup', work);
        if (Object.hasOwn(READING, name)) cloned.add(work);
        const measured = await run(who, work);
        seconds[who].push(measured.seconds);
        memory[who].push(measured.peakMiB);
      }
    }
    const ours = median(seconds.ours);
    const yardstick = median(seconds.yardstick);
    results.push({
      case: name,
      entries: count,
      ours,
      yardstick,
      ratio: ours / yardstick,
      unit: 's',
      peakMiB: Math.max(...memory.ours),
      yardstickPeakMiB: Math.max(...memory.yardstick),
    });
  }
} finally {
  for (const registry of registries.values()) await registry.close();
  await rm(folder, { recursive: true, force: true });
}

process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB\n`,
);
process.stdout.write(`${entries} entries or as said, median of ${rounds}; a million once\n\n`);
process.stdout.write('case                   ours           yardstick      ratio  peak memory\n');
for (const { case: name, ours, yardstick, ratio, unit, peakMiB, yardstickPeakMiB } of results) {
  const show = (value) => (value === undefined ? 'not installed' : `${value.toFixed(value < 100 ? 2 : 0)} ${unit}`);
  const row = [name.padEnd(22), show(ours).padEnd(14), show(yardstick).padEnd(14), (ratio?.toFixed(2) ?? '').padEnd(6)];
  const memory = [peakMiB, ...(yardstickPeakMiB === undefined ? [] : [yardstickPeakMiB])];
  process.stdout.write(`${row.join(' ')} ${memory.map((value) => value.toFixed(0)).join(' / ')} MiB\n`);
}
process.stdout.write(`\n${names.map((name) => `${name}: ${all[name]}`).join('\n')}\n`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, undefined, 2)}\n`);

async function measure(name, who, url, work) {
  const script = fileURLToPath(new URL('./case.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, name, who, url, work]);
  return JSON.parse(stdout);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
