// What the cases gave, as a table, and kept beside it for the next run of some of them.
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { drawPlot } from './plot.mjs';

/** Says on what all that stands in one table was measured. */
export function describeMachine() {
  return [
    `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()} ${arch()}`,
    `Node ${process.version}`,
    ...[
      ['nginx', '-v'],
      ['curl', '--version'],
      ['rsync', '--version'],
      ['md5sum', '--version'],
    ].map(versionOf),
  ];
}

function versionOf([program, flag]) {
  const { error, stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  if (error !== undefined) return `${program}: not installed`;
  return `${program} ${/\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? 'of an unknown version'}`;
}

/**
 * Puts the rows of a case in the place of its older ones, and writes the table and its plot anew; all that was measured on
 * another machine goes, so that what stands beside each other can be compared.
 */
export async function keepResults({ table, plots }, { machine, names, name, rows, plot }) {
  const file = join(table, 'results.json');
  const before = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
  const isSame = before !== undefined && before.machine.join() === machine.join();
  const date = new Date().toISOString().slice(0, 10);
  const old = isSame ? before.rows.filter((row) => row.of !== name && row.of in names) : [];
  const order = Object.keys(names);
  const fresh = rows.map((row) => ({ of: name, ...row, date }));
  const all = { machine, rows: [...old, ...fresh].toSorted((a, b) => order.indexOf(a.of) - order.indexOf(b.of)) };
  await mkdir(table, { recursive: true });
  await writeFile(file, `${JSON.stringify(all, undefined, 2)}\n`);
  await writeFile(join(table, 'results.md'), asDocument(all, names));
  if (plot === undefined) return;
  await mkdir(plots, { recursive: true });
  await writeFile(join(plots, `${name}.svg`), drawPlot(plot));
}

function asDocument({ machine, rows }, names) {
  const legend = Object.entries(names).map(([name, what]) => `- \`${name}\`: ${what}`);
  const head =
    '# Benchmarks: ours beside yardsticks\n\nWritten by `npm run bench`; ../../docs/benchmarks.md says what it means.\n';
  return `${head}\n${machine.map((line) => `- ${line}`).join('\n')}\n\n${asTable(rows)}\n## The cases\n\nOurs; the yardstick.\n\n${legend.join('\n')}\n`;
}

export function asTable(rows) {
  const lines = rows.map((row) => {
    const { ours, yardstick, ratio, target, unit, date = '', entries, missing } = row;
    const theirs = missing === undefined ? show(yardstick, unit) : `${missing.join(', ')}: not installed`;
    const aim = target === null ? '' : `≤ ${target}${ratio !== null && ratio > target ? ' **missed**' : ''}`;
    const cells = [
      row.case,
      entries.toLocaleString('en'),
      show(ours, unit),
      theirs,
      ratio === null ? '' : ratio.toFixed(2),
      aim,
      date,
    ];
    return `| ${cells.join(' | ')} |\n`;
  });
  return `| case | entries | ours | yardstick | ratio | target | measured |\n|---|--:|--:|--:|--:|---|---|\n${lines.join('')}`;
}

function show(value, unit) {
  if (value === null) return '';
  const digits = Number.isInteger(value) || value >= 100 ? 0 : value < 1 ? 3 : 2;
  return `${value.toFixed(digits)} ${unit}`;
}
