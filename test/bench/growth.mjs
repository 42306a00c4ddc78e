// How cost grows with the number of entries, and how a save's time falls with the number of files at once.
import { CASES } from './cases.mjs';
import { median, stand, takeOnce } from './measure.mjs';

export const PLOTS = {
  growth: 'clone, status, prepare and save of 1,000 to 1,000,000 files of a few bytes: time and memory an entry',
  concurrency: 'save of 10,000 files of 1 to 4 KiB, 1 to 64 at once',
};

const named = (name) => CASES.find((one) => one.name === name);

/** Gives the rows and the plot of one of `PLOTS`. */
export const runPlot = { growth: runGrowth, concurrency: runConcurrency };

async function runGrowth({ worlds, folder, small }) {
  const sizes = small ? [5, 20] : [1_000, 10_000, 100_000, 1_000_000];
  const series = { save: [], clone: [], status: [], prepare: [] };
  for (const entries of sizes) {
    const options = { worlds, folder, small };
    // What the others find is a save itself.
    const { took } = await stand(named('clone-warm'), entries, options);
    series.save.push(pointOf(entries, [took.saved]));
    for (const [what, name] of [
      ['clone', 'clone-warm'],
      ['status', 'status'],
      ['prepare', 'prepare'],
    ]) {
      const taken = [];
      for (let round = 0; round < (small || entries > 10_000 ? 1 : 3); round++) {
        taken.push(await takeOnce(named(name), entries, { ...options, name: `growth-${what}-${entries}-${round}` }));
      }
      series[what].push(pointOf(entries, taken));
    }
  }
  const panel = (title, unit, key) => ({
    title,
    unit,
    series: Object.entries(series).map(([label, points]) => ({
      label,
      points: points.map((one) => [one.entries, one[key]]),
    })),
  });
  const plot = {
    across: 'entries',
    panels: [panel('Time an entry', 'µs', 'micros'), panel('Memory an entry, beyond what Node takes', 'KiB', 'KiB')],
  };
  const rows = Object.entries(series).flatMap(([what, points]) =>
    points.flatMap(({ entries, micros, KiB }) => [
      row(`growth-${what}-${entries}`, entries, micros, 'µs an entry'),
      row(`growth-${what}-${entries}-memory`, entries, KiB, 'KiB an entry'),
    ]),
  );
  return { rows, plot };
}

function pointOf(entries, taken) {
  const micros = (median(taken.map(({ seconds }) => seconds)) * 1e6) / entries;
  const KiB = (Math.max(...taken.map(({ peakMiB, restMiB }) => peakMiB - restMiB)) * 1024) / entries;
  return { entries, micros, KiB };
}

async function runConcurrency({ worlds, folder, small }) {
  const points = [];
  for (const concurrency of small ? [1, 4] : [1, 2, 4, 8, 16, 32, 64]) {
    const taken = [];
    for (let round = 0; round < (small ? 1 : 3); round++) {
      const name = `concurrency-${concurrency}-${round}`;
      taken.push(
        await takeOnce(named('save-small'), small ? 20 : 10_000, { worlds, folder, small, name, concurrency }),
      );
    }
    points.push([concurrency, median(taken.map(({ seconds }) => seconds))]);
  }
  const plot = {
    across: 'files at once',
    panels: [{ title: PLOTS.concurrency, unit: 's', series: [{ label: 'save', points }] }],
  };
  return {
    rows: points.map(([atOnce, seconds]) => row(`concurrency-${atOnce}`, small ? 20 : 10_000, seconds, 's')),
    plot,
  };
}

function row(name, entries, ours, unit) {
  return { case: name, entries, ours, yardstick: null, ratio: null, target: null, unit };
}
