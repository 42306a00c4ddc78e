// One step of a case, in a process of its own: only so is peak memory its alone. Prints what it took.
//   node side.mjs '{"name": CASE, "world": {…}, "shared": FOLDER, "step": "ours", "folder": FOLDER}'
import { subscribe } from 'node:diagnostics_channel';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CASES, STANDING } from './cases.mjs';

/** What the command does for itself first. */
const SPARE_MEMORY = new URL('../../dist/src/cli/spare-memory.js', import.meta.url).href;

const sent = { requests: 0, bytes: 0 };
subscribe('undici:request:create', ({ request }) => {
  sent.requests++;
  const at = request.headers.findIndex((header) => /^content-length$/i.test(header));
  if (request.method === 'PUT') sent.bytes += Number(at < 0 ? request.contentLength : request.headers[at + 1]);
});

/** Takes one step of a case, and gives what it took. */
export async function takeStep(one, { world = {}, shared, small, concurrency, step, who = step, folder }) {
  const work = STANDING[step] ?? one[step];
  mkdirSync(folder, { recursive: true });
  const isShared = step in STANDING || (one.standing !== undefined && !one.isDirect);
  const cacheDir = join(isShared ? shared : folder, 'cache');
  const clone = join(step in STANDING || one.standing === 'cloned' ? shared : folder, 'clone');
  const url = one.isDirect ? world.registryUrl : world.url;
  const run = { ...world, url, who, folder, cacheDir, clone, small };
  if (step !== 'yardstick' || one.isOurs) {
    const { spareMemory } = await import(SPARE_MEMORY);
    spareMemory();
    run.gypsum = await import('gypsum-client');
    const { token } = world;
    const options = { url: url ?? 'http://localhost', token, cacheDir, stateDir: join(folder, 'state') };
    run.client = run.gypsum.createClient({ ...options, ...(concurrency === undefined ? {} : { concurrency }) });
  }
  // The list is in memory before the clock starts.
  else if (step === 'yardstick' && world.ref !== undefined) run.paths = await readPaths(run);
  const restMiB = peakMiB();
  const before = { ...sent };
  const clock = one.clock ?? (one.isCpu ? cpuSeconds : () => performance.now() / 1000);
  const began = clock();
  const times = small ? 1 : (one.times ?? 1);
  for (let time = 0; time < times; time++) await work(run);
  const seconds = (clock() - began) / times;
  const result = { seconds, restMiB, peakMiB: peakMiB() };
  await run.client?.close();
  if (step !== 'prepare') await one.finish?.(run);
  return { ...result, requests: sent.requests - before.requests, sentBytes: sent.bytes - before.bytes };
}

async function readPaths({ url, ref: { project, asset, version } }) {
  const answer = await fetch(`${url}/file/${encodeURIComponent(`${project}/${asset}/${version}/..manifest`)}`);
  return Object.keys(await answer.json());
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What getrusage says counts what the process was that began this one; Linux tells what this one alone had. */
function peakMiB() {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
}

if (import.meta.filename === process.argv[1]) {
  const { name, ...rest } = JSON.parse(process.argv[2]);
  const one = CASES.find((each) => each.name === name);
  process.stdout.write(JSON.stringify(await takeStep(one, rest)));
}
