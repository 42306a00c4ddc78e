// Runs a case: ours and the yardstick in turn, each in a process of its own, and gives its rows.
import { execFile, spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { takeStep as takeHere } from './side.mjs';
import { WORLDS } from './worlds.mjs';

const script = fileURLToPath(new URL('./side.mjs', import.meta.url));
const run = promisify(execFile);
const standing = new Map();

/** Gives the rows of a case: its time, and where it says so its memory, requests and bytes. */
export async function measureCase(one, { worlds, folder, small, rounds, entries }) {
  const missing = missingOf(one);
  const count = entriesOf(one, { small, entries });
  const { world, shared } = await stand(one, count, { worlds, folder, small });
  const taken = { ours: [], yardstick: [] };
  const sides = missing.length > 0 ? ['ours'] : ['ours', 'yardstick'];
  for (let round = 0; round < (small ? 1 : (one.rounds ?? rounds)); round++) {
    // Fresh folders for every run: ext4 passes over inodes that were deleted minutes ago, which takes ten times as long.
    const steps = sides.map((who) => {
      const own = join(folder, `${one.name}-${who}-${round}`);
      return [
        ...(one.prepare === undefined ? [] : [{ step: 'prepare', who, folder: own }]),
        { step: who, folder: own },
      ];
    });
    // A small size is there to see that all works: one process does all of it, in a third of the time.
    const takeStep = small ? takeHere : takeApart;
    for (const step of steps.flat()) {
      const took = await takeStep(one, { world, shared, small, ...step });
      taken[step.step]?.push(took);
    }
    if (one.isHeavy) for (const [{ folder: own }] of steps) await rm(own, { recursive: true });
  }
  return rowsOf(one, count, taken, missing);
}

/** Takes one side of a case once, on a world of so many entries, and gives what it took. */
export async function takeOnce(one, count, { worlds, folder, small, name, concurrency }) {
  const { world, shared } = await stand(one, count, { worlds, folder, small });
  return takeApart(one, { world, shared, small, concurrency, step: 'ours', folder: join(folder, name) });
}

/** What a case finds, made by the first that needs it; gives also what it took to make it. */
export async function stand(one, count, { worlds, folder, small }) {
  const world = one.world === undefined ? undefined : await worlds.get(one.world, count);
  const shared = join(folder, `standing-${one.world}-${count}`);
  const took = {};
  if (one.standing !== undefined) {
    for (const step of one.standing === 'saved' ? ['saved'] : ['saved', 'cloned']) {
      const key = `${shared} ${step}`;
      if (!standing.has(key))
        standing.set(key, await (small ? takeHere : takeApart)(one, { world, shared, small, step, folder: shared }));
      took[step] = standing.get(key);
    }
  }
  return { world, shared, took };
}

export function entriesOf(one, { small, entries }) {
  const full = one.entries ?? WORLDS[one.world] ?? 1;
  if (full <= 4) return full;
  return entries ?? (small ? 20 : full);
}

async function takeApart(one, what) {
  const { stdout } = await run(process.execPath, [script, JSON.stringify({ name: one.name, ...what })]);
  return JSON.parse(stdout);
}

function missingOf({ needs = [] }) {
  return needs.filter((program) => spawnSync(program, ['--version']).error !== undefined);
}

function rowsOf(one, entries, { ours, yardstick }, missing) {
  const [mine, theirs] = [ours, yardstick].map((side) => median(side.map(({ seconds }) => seconds)));
  const main = { case: one.name, entries, ...compare(mine, theirs), target: one.target ?? null, unit: 's' };
  const rows = [missing.length > 0 ? { ...main, missing } : main];
  const peakMiB = Math.max(...ours.map((side) => side.peakMiB));
  // The yardstick is the limit itself, so that in every row a ratio up to the target is well.
  const limit = (what, mine, most, unit) =>
    rows.push({ case: `${one.name}-${what}`, entries, ...compare(mine, most), target: 1, unit });
  if (one.memory !== undefined) limit('memory', peakMiB, one.memory, 'MiB');
  if (one.requests)
    limit('requests', Math.max(...ours.map((side) => side.requests)), one.requests(entries), 'requests');
  if (one.sentBytes) limit('sent', Math.max(...ours.map((side) => side.sentBytes)), one.sentBytes(entries), 'bytes');
  return rows;
}

function compare(ours, yardstick) {
  if (yardstick === undefined) return { ours, yardstick: null, ratio: null };
  return { ours, yardstick, ratio: ours === yardstick ? 1 : ours / yardstick };
}

export function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
