// Saving many small files from a registry that is far away: it waits before each answer. With bulk reads and without.
//   node latency.mjs serve DATA bulk|single     listens until its standard input ends
//   node latency.mjs save URL FOLDER FILES      one cold save, in a process of its own
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createClient } from 'gypsum-client';
import { listen, openRegistry } from 'gypsum-client/server';
import { median } from './measure.mjs';

/** Units: seconds of the call */
export const LATENCY_CASES = {
  'save-latency':
    'cold save of 10,000 files of 1–4 KiB over 50 ms of latency, from the registry; the same without its bulk reads',
};

/** Units: milliseconds */
const LATENCY = 50;

const VERSION = { project: 'bench', asset: 'far', version: 'v1' };
const FILES = 10_000;

const script = fileURLToPath(import.meta.url);
const run = promisify(execFile);

/** Runs the case in turn with and without, and gives its row. */
export async function runLatencyCase(name, folder, { small, rounds }) {
  const files = small ? 100 : FILES;
  const data = join(folder, name);
  await publish(data, files);
  const seconds = { ours: [], yardstick: [] };
  const memory = { ours: [], yardstick: [] };
  for (let round = 0; round < rounds; round++) {
    for (const who of ['ours', 'yardstick']) {
      const server = await serve(data, who === 'ours' ? 'bulk' : 'single');
      try {
        // Fresh folders for every run: deleting just before a run slows some file systems down tenfold.
        const work = join(folder, `${name}-${who}-${round}`);
        const { stdout } = await run(process.execPath, [script, 'save', server.url, work, String(files)]);
        const measured = JSON.parse(stdout);
        seconds[who].push(measured.seconds);
        memory[who].push(measured.peakMiB);
      } finally {
        await server.stop();
      }
    }
  }
  const [ours, yardstick] = [median(seconds.ours), median(seconds.yardstick)];
  return {
    case: name,
    entries: files,
    ours,
    yardstick,
    ratio: ours / yardstick,
    unit: 's',
    peakMiB: Math.max(...memory.ours),
    yardstickPeakMiB: Math.max(...memory.yardstick),
  };
}

/** Publishes files of 1 to 4 KiB, each of which is another one, without any latency. */
async function publish(data, count) {
  const registry = await openRegistry({ data });
  const listener = await listen(registry.fetch);
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const client = createClient({ url: listener.url, token, cacheDir: `${data}-unused-cache` });
  await client.createProject(VERSION.project);
  await client.uploadContents(
    VERSION,
    Array.from({ length: count }, (_, n) => ({ path: `part-${n % 100}/file-${n}.bin`, content: contentOf(n) })),
  );
  await client.close();
  await listener.close();
  await registry.close();
}

function contentOf(n) {
  const bytes = createHash('sha512').update(String(n)).digest();
  return Buffer.alloc(1024 + ((n * 997) % 3073), bytes);
}

/** Starts a registry that is far away. */
async function serve(data, how) {
  const child = spawn(process.execPath, [script, 'serve', data, how], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data');
  return {
    url: url.trim(),
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

async function serveFarAway(data, how) {
  const registry = await openRegistry({ data });
  const listener = await listen(async (request) => {
    await setTimeout(LATENCY);
    const answer = await registry.fetch(request);
    if (how === 'single') answer.headers.delete('gypsum-features');
    return answer;
  });
  process.stdout.write(`${listener.url}\n`);
  for await (const _ of process.stdin);
  await listener.close();
  await registry.close();
}

async function save(url, folder, files) {
  const client = createClient({ url, cacheDir: join(folder, 'cache') });
  const began = performance.now();
  const { fetched } = await client.saveVersion(VERSION);
  const seconds = (performance.now() - began) / 1000;
  await client.close();
  if (fetched.contents !== files) throw new Error(`${fetched.contents} of ${files} files came`);
  process.stdout.write(JSON.stringify({ seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
}

if (process.argv[1] === script) {
  const [what, ...words] = process.argv.slice(2);
  if (what === 'serve') await serveFarAway(...words);
  else await save(words[0], words[1], Number(words[2]));
}
