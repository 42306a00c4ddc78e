// Commands that look into trees, as processes from their begin to their end, in seconds of the processor.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { keepTree } from './reading.mjs';
import { MAIN } from './servers.mjs';
import { treeOf } from './worlds.mjs';

/** What a process has used of the processor is what it says itself as it ends: of its children, Node knows nothing. */
const TELL = `
  import { writeSync } from 'node:fs';
  process.on('exit', () => {
    const { user, system } = process.cpuUsage();
    writeSync(3, String((user + system) / 1e6));
  });
`;

let used = 0;

function run(words, env = {}) {
  const { status, output } = spawnSync(
    process.execPath,
    [`--import=data:text/javascript,${encodeURIComponent(TELL)}`, ...words],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] },
  );
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}`);
  used += Number(output[3]);
}

const PARSE = `for (const path of process.argv.slice(1)) JSON.parse(require('node:fs').readFileSync(path, 'utf8'))`;

const COMMANDS = {
  ls: '/part-0',
  tree: '/',
  resolve: '/part-0/../part-0/sample-0.parquet',
  cat: '/part-0/sample-1.parquet',
};

export const TREES = Object.entries(COMMANDS).map(([command, path]) => ({
  name: `command-${command}`,
  what: `gypsum ${command} in a cached version of 100,000 entries; node -e that does JSON.parse of its texts. Seconds of CPU, with start`,
  world: 'links',
  entries: 100_000,
  clock: () => used,
  async prepare({ client, entries }) {
    await keepTree({ client, entries });
    await client.saveFile({ ...treeOf(entries), path: COMMANDS.cat.slice(1) });
  },
  ours({ url, cacheDir, entries }) {
    const { project, asset, version } = treeOf(entries);
    run([MAIN, command, `${project}/${asset}/${version}:${path}`], { GYPSUM_URL: url, GYPSUM_CACHE_DIR: cacheDir });
  },
  yardstick({ cacheDir, entries }) {
    const names = Object.values(treeOf(entries));
    const manifest = join(cacheDir, '.gypsum-client/1/versions', ...names, '..manifest');
    run(['-e', PARSE, manifest, join(cacheDir, 'bucket', ...names, '.gypsum-tree.json')]);
  },
}));
