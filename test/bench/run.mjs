// Measures ours beside a yardstick, in turn, in one run; prints medians, ratios and peak memory.
//   npm run bench                     every case at 100,000 entries, three rounds
//   npm run bench -- --case prepare   one case
//   npm run bench -- --small          1,000 entries, one round: that the benchmark itself works
//   npm run bench -- --json FILE      the results as JSON too
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { publishManyFiles } from './many-files.mjs';

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    small: { type: 'boolean' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

/** Each case is a process of its own, ours and the yardstick's: only so is peak memory theirs alone. */
const CASES = {
  'clone-no-download': 'clone with `download: false`; bare loop of symlinkSync over the same list',
  'clone-warm': 'clone of a version that is remembered, without a request; bare loop of symlinkSync',
  prepare: 'prepare of a fresh clone; bare loop of readdir, readlink and lstat of the target',
};

const entries = values.small ? 1_000 : 100_000;
const rounds = values.small ? 1 : 3;
const names = values.case === undefined ? Object.keys(CASES) : [values.case];
for (const name of names) {
  if (!Object.hasOwn(CASES, name))
    throw new Error(`There is no case "${name}"; there are ${Object.keys(CASES).join(', ')}.`);
}

const folder = await mkdtemp(join(tmpdir(), 'gypsum-bench-'));
const registry = await publishManyFiles(join(folder, 'registry'), entries);
const results = [];
try {
  for (const name of names) {
    const seconds = { ours: [], yardstick: [] };
    const memory = { ours: [], yardstick: [] };
    for (let round = 0; round < rounds; round++) {
      for (const who of ['ours', 'yardstick']) {
        // Fresh folders for every run: deleting just before a run slows some file systems down tenfold.
        const work = join(folder, `${name}-${who}-${round}`);
        await measure(name, 'setup', work);
        const measured = await measure(name, who, work);
        seconds[who].push(measured.seconds);
        memory[who].push(measured.peakMiB);
      }
    }
    const ours = median(seconds.ours);
    const yardstick = median(seconds.yardstick);
    results.push({
      case: name,
      entries,
      ours,
      yardstick,
      ratio: ours / yardstick,
      unit: 's',
      peakMiB: Math.max(...memory.ours),
      yardstickPeakMiB: Math.max(...memory.yardstick),
    });
  }
} finally {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
}

process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB\n`,
);
process.stdout.write(`${entries} entries, median of ${rounds}\n\n`);
process.stdout.write('case               ours       yardstick  ratio  peak memory\n');
for (const { case: name, ours, yardstick, ratio, peakMiB } of results) {
  const row = [
    name.padEnd(18),
    `${ours.toFixed(2)} s`.padEnd(10),
    `${yardstick.toFixed(2)} s`.padEnd(10),
    ratio.toFixed(2).padEnd(6),
  ];
  process.stdout.write(`${row.join(' ')} ${peakMiB.toFixed(0)} MiB\n`);
}
process.stdout.write(`\n${names.map((name) => `${name}: ${CASES[name]}`).join('\n')}\n`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, undefined, 2)}\n`);

async function measure(name, who, work) {
  const script = fileURLToPath(new URL('./case.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, name, who, registry.url, work]);
  return JSON.parse(stdout);
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
