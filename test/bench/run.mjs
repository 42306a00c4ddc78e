// Measures ours beside yardsticks, in turn, in one run; prints medians and ratios, and writes them to results.md.
import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CASES } from './cases.mjs';
import { PLOTS, runPlot } from './growth.mjs';
import { LATENCY_CASES, runLatencyCase } from './latency.mjs';
import { measureCase } from './measure.mjs';
import { REGISTRY_CASES, runRegistryCase } from './registry.mjs';
import { REPLICA_CASES, REPLICA_TARGETS, runReplicaCase } from './replica.mjs';
import { asTable, describeMachine, keepResults } from './results.mjs';
import { openWorlds } from './worlds.mjs';

const USAGE = `npm run bench -- [--case NAME]… [--small] [--entries NUMBER] [--json FILE] [--write FOLDER]

Without --case, all are run: hours. Each is run three times, ours and the yardstick in turn; with a million entries once.
The rows of what was run are put into test/bench/results.md, and plots into docs/benchmarks, unless --small or --entries is given.

--case NAME      one case, or several
--small          20 entries, one round: to see that the benchmark itself works
--entries NUMBER another number of entries, one round
--json FILE      the rows as JSON too: case, ours, yardstick, ratio, target, unit
--write FOLDER   where the table and the plots are written, of a small run too
`;

const values = readArguments();

function readArguments() {
  try {
    return parseArgs({
      options: {
        case: { type: 'string', multiple: true },
        small: { type: 'boolean', default: false },
        entries: { type: 'string' },
        json: { type: 'string' },
        write: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    return refuse(error.message);
  }
}

/** Says what is wrong with what was asked for, before anything is made. */
function refuse(why) {
  process.stderr.write(`${why}\n`);
  process.exit(2);
}

/** Cases that run themselves, and what their ratios have to be. */
const OTHERS = [
  { cases: REPLICA_CASES, run: runReplicaCase, targets: REPLICA_TARGETS },
  { cases: REGISTRY_CASES, run: runRegistryCase, targets: {} },
  { cases: LATENCY_CASES, run: runLatencyCase, targets: {} },
];

const isMillion = ({ name }) => name.endsWith('-million');
const { small } = values;
const entries = values.entries === undefined ? undefined : Number(values.entries);
if (entries !== undefined && !(Number.isSafeInteger(entries) && entries > 0)) {
  refuse(`"${values.entries}" is no number of entries.`);
}
const rounds = small || entries !== undefined ? 1 : 3;
const folder = join(tmpdir(), `gypsum-bench-${randomUUID()}`);
const worlds = openWorlds(folder, { small });
const options = { worlds, folder, small, entries, rounds };

/** What each name stands for, and how it is run: what takes longest is last. */
const all = new Map([
  ...CASES.filter((one) => !isMillion(one)).map((one) => [one.name, ofCase(one)]),
  ...OTHERS.flatMap(({ cases, run, targets }) =>
    Object.entries(cases).map(([name, what]) => [name, { what, run: () => runOther(name, run, targets[name]) }]),
  ),
  ['concurrency', { what: PLOTS.concurrency, run: () => runPlot.concurrency(options) }],
  ...CASES.filter(isMillion).map((one) => [one.name, ofCase(one)]),
  ['growth', { what: PLOTS.growth, run: () => runPlot.growth(options) }],
]);
const names = Object.fromEntries([...all].map(([name, { what }]) => [name, what]));

function ofCase(one) {
  return { what: one.what, run: async () => ({ rows: await measureCase(one, options) }) };
}

async function runOther(name, run, target = null) {
  const many = name.endsWith('-million') ? 1_000_000 : 100_000;
  const row = await run(name, folder, { ...options, entries: entries ?? (small ? 100 : many) });
  const { yardstick = null, ratio = null, peakMiB } = row;
  const rows = [{ ...row, yardstick, ratio, target }];
  if (peakMiB > 0 && target !== null) {
    rows.push({
      case: `${name}-memory`,
      entries: row.entries,
      ours: peakMiB,
      yardstick: 250,
      ratio: peakMiB / 250,
      target: 1,
      unit: 'MiB',
    });
  }
  return { rows };
}

const unknown = values.case?.find((name) => !all.has(name));
if (unknown !== undefined) refuse(`There is no case "${unknown}"; there are ${[...all.keys()].join(', ')}.`);

if (values.help) {
  process.stdout.write(`${USAGE}\n${[...all].map(([name, { what }]) => `${name}: ${what}\n`).join('')}`);
} else {
  await mkdir(folder);
  try {
    await main();
  } finally {
    await worlds.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function main() {
  const chosen = values.case ?? [...all.keys()];
  const machine = describeMachine();
  process.stdout.write(`${machine.join('; ')}\n\n`);
  const rows = [];
  for (const name of chosen) {
    process.stdout.write(`${name}: ${names[name]}\n`);
    try {
      const done = await all.get(name).run();
      rows.push(...done.rows);
      process.stdout.write(`${asTable(done.rows)}\n`);
      await keep(machine, done, name);
    } catch (error) {
      // The others take hours, and are worth having without it.
      process.stderr.write(`${name} failed: ${error.stack}\n\n`);
      process.exitCode = 1;
    }
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(rows.map(asJson), undefined, 2)}\n`);
}

/** After every case, so that a run that is ended leaves what it has. */
async function keep(machine, { rows, plot }, name) {
  if (values.write === undefined && (small || entries !== undefined)) return;
  const here = (path) => fileURLToPath(new URL(path, import.meta.url));
  const places =
    values.write === undefined
      ? { table: here('.'), plots: here('../../docs/benchmarks') }
      : { table: values.write, plots: values.write };
  await keepResults(places, { machine, names, name, rows, plot });
}

function asJson({ case: name, ours, yardstick, ratio, target, unit }) {
  return { case: name, ours, yardstick, ratio, target, unit };
}
