import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { bytes, cutOff, disconnected, type Fault, flipped, type MockRegistry, status } from '../../mocks/index.ts';
import { isSystemError } from '../../src/errors.ts';
import { createRandom, seedOf } from '../helpers/random.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

/** How many rounds are played; "npm run test:chaos" plays 200. */
const ROUNDS = Number(process.env.GYPSUM_CHAOS_ROUNDS ?? 3);
const SEED = Number(process.env.GYPSUM_CHAOS_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** To play one round of a seed again. */
const FIRST = Number(process.env.GYPSUM_CHAOS_FIRST ?? 0);

const WORKER = fileURLToPath(new URL('worker.mjs', import.meta.url));
const PROCESSES = 8;
const CONCURRENCY = 4;
/** How many processes take a place before one may live. */
const LIVES = 3;

type Random = (below: number) => number;

/**
 * Contents of which versions are made, small and large; no two are equal, and none is empty. None is as long as some reads
 * from a socket are: what is left of a larger one is not taken for it.
 */
const CONTENTS = [120, 900, 2_000, 5_000, 31, 70_000, 131_111, 200_000, 320_000, 64, 4_096, 150_000].map((size, at) => {
  const random = createRandom(seedOf('content', at));
  return Buffer.from(Uint8Array.from({ length: size }, () => random(256)));
});
const content = (at: number): Buffer => CONTENTS[at] ?? Buffer.alloc(0);

const linkTo = (file: string) => ({ link: `p/a/v1:/${file}` });

/** What is published: versions that share contents, by copies and by links, within a project and across. */
const SEEDED = {
  'p/a/v1': { small: content(0), 'd/mid': content(2), 'd/big': content(8), again: content(0), wide: content(5) },
  'p/a/v2': { small: linkTo('small'), 'd/mid': content(3), 'd/big': linkTo('d/big'), new: content(6) },
  'p/a/v3': { small: content(1), 'e/f/mid': content(3), big: content(7), new: content(6), tiny: content(4) },
  'p/b/v1': { one: content(9), two: content(0), three: content(7), four: content(10) },
  'q/a/v1': { one: content(9), big: content(8), own: content(11) },
  'q/a/v2': { from: linkTo('wide'), own: content(11), 'd/two': content(0) },
};
const REFS = Object.keys(SEEDED);

/** What a version's files hold, by path. */
const FILES: ReadonlyMap<string, ReadonlyMap<string, Buffer>> = new Map(
  Object.entries(SEEDED).map(([ref, files]) => [
    ref,
    new Map(Object.entries(files).map(([path, file]) => [path, Buffer.isBuffer(file) ? file : linked(file.link)])),
  ]),
);

function linked(link: string): Buffer {
  const file = Object.entries(SEEDED['p/a/v1']).find(([path]) => link === `p/a/v1:/${path}`)?.[1];
  if (file === undefined) throw new Error(`there is no ${link}`);
  return file;
}

const toRef = (ref: string) => {
  const [project = '', asset = '', version = ''] = ref.split('/');
  return { project, asset, version };
};

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** What a process is to do, and how it ends. */
interface Life {
  readonly name: string;
  readonly tasks: readonly { ref: string; destination?: string }[];
  /** It kills itself at so many events, or is killed at so many of its requests; or it lives. */
  readonly dieAt?: number;
  readonly dieAtRequest?: number;
}

interface Logged {
  readonly type: string;
  readonly what?: string;
  readonly task?: string;
  readonly files?: number;
  readonly bytes?: number;
  readonly fetched?: number;
}

/** What the registry has seen of a process. */
interface Seen {
  readonly life: Life;
  child?: ChildProcess;
  /** Keys, or paths where there are none. */
  readonly requests: string[];
}

const tally = { rounds: 0, processes: 0, killed: 0, requests: 0, nameless: 0, faults: 0, ranges: 0, looks: 0 };

/** Stands in front of the registry: tells who asks, by their tokens, and answers as it likes. */
function createFront(round: number, processes: Map<string, Seen>): Fault {
  return async (request, next) => {
    const name = request.headers.get('authorization')?.slice('Bearer '.length);
    if (name === undefined) return status(401)(request, next);
    const key = decodeURIComponent(/\/file\/([^?]*)/.exec(request.url)?.[1] ?? request.url);
    const seen = processes.get(name);
    if (seen === undefined) throw new Error(`nobody is ${name}`);
    seen.requests.push(key);
    tally.requests++;
    if (request.headers.has('range')) tally.ranges++;
    if (seen.requests.length === seen.life.dieAtRequest) seen.child?.kill('SIGKILL');
    const nth = seen.requests.filter((one) => one === key).length;
    const fault = pickFault(createRandom(seedOf(SEED, round, name, key, nth)), /\/\.\.|^http/.test(key));
    if (fault !== undefined) tally.faults++;
    return fault === undefined ? next() : fault(request, next);
  };
}

/** Documents carry no digest: they are not sent wrong. */
function pickFault(random: Random, isDocument: boolean): Fault | undefined {
  switch (random(isDocument ? 12 : 14)) {
    case 0:
      return status(503);
    case 1:
      return disconnected();
    case 2:
    case 3:
      return cutOff(random(2) === 0 ? random(200_000) : random(300));
    case 12:
      return flipped();
    case 13:
      // As long as none of the contents: what is left of it is not taken for a whole one.
      return bytes(random(2) === 0 ? 'HOOT' : content(random(CONTENTS.length)).subarray(7));
    default:
      return undefined;
  }
}

function planLife(round: number, place: number, turn: number, folder: string): Life {
  const random = createRandom(seedOf(SEED, round, place, turn));
  const name = `r${round}p${place}t${turn}`;
  // The same versions each turn: who comes next goes on with what is left.
  const choose = createRandom(seedOf(SEED, round, place));
  const tasks = Array.from({ length: 1 + choose(3) }, (_, at) => {
    const ref = REFS[choose(REFS.length)] ?? '';
    return choose(3) === 0 ? { ref, destination: join(folder, `clone-${place}-${at}`) } : { ref };
  });
  const fate = turn === LIVES - 1 ? 3 : random(3);
  if (fate === 0) return { name, tasks, dieAt: 1 + random(14) };
  if (fate === 1) return { name, tasks, dieAtRequest: 1 + random(6) };
  return { name, tasks };
}

interface Round {
  readonly rig: Rig;
  readonly round: number;
  readonly folder: string;
  readonly cacheDir: string;
  readonly locksLie: boolean;
  readonly processes: Map<string, Seen>;
}

/** Lets one process live after the other in a place, until one has done all that is to be done there. */
async function play(round: Round, place: number): Promise<void> {
  for (let turn = 0; ; turn++) {
    const life = planLife(round.round, place, turn, round.folder);
    const there = { blobs: blobsIn(round.cacheDir), documents: documentsIn(round.cacheDir) };
    const seen: Seen = { life, requests: [] };
    round.processes.set(life.name, seen);
    const log = join(round.folder, `${life.name}.log`);
    const job = {
      options: {
        url: round.rig.registry.url,
        token: life.name,
        cacheDir: round.cacheDir,
        concurrency: CONCURRENCY,
        retries: 20,
        retryDelay: 1,
      },
      tasks: life.tasks.map(({ ref, ...task }) => ({ ...task, ref: toRef(ref) })),
      dieAt: life.dieAt,
      locksLie: round.locksLie,
      log,
    };
    const child = spawn(process.execPath, [WORKER, JSON.stringify(job)], { stdio: ['ignore', 'ignore', 'pipe'] });
    seen.child = child;
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    tally.processes++;
    if (signal === null) expect(`${life.name}: ${code} ${stderr}`).toBe(`${life.name}: 0 `);
    else tally.killed++;
    const told = readLog(log);
    try {
      checkRequests(seen, told, there, signal !== null);
    } catch (error) {
      const { requests } = seen;
      throw new Error(`${life.name} is wrong: ${JSON.stringify({ requests, told })}`, { cause: error });
    }
    if (signal === null) return;
  }
}

function readLog(log: string): Logged[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Logged);
}

const isContent = (key: string) => !/\/\.\.|^http/.test(key);

/** What the registry has seen of a process is what its events tell, and nothing that the cache had before it began. */
function checkRequests(
  { life, requests }: Seen,
  log: readonly Logged[],
  there: { blobs: ReadonlySet<string>; documents: ReadonlySet<string> },
  wasKilled: boolean,
): void {
  const retries = (word: string) => log.filter(({ type, what }) => type === 'retry' && what?.startsWith(word)).length;
  const contents = requests.filter(isContent);
  const known = contents.filter((key) => there.blobs.has(blobOf(key)));
  expect(known, `${life.name} asked for what the cache had`).toEqual([]);
  for (const key of new Set(requests.filter((one) => !isContent(one)))) {
    const asked = requests.filter((one) => one === key).length;
    const word = key.startsWith('http') ? 'Asking' : `Reading "${key}"`;
    // What the registry can do is asked once by each of those that find a beginning and do not know.
    const mostly = key.startsWith('http') ? CONCURRENCY : there.documents.has(key) ? 0 : 1;
    const untold = asked - retries(word);
    expect(untold, `${life.name} told of more than it asked for ${key}`).toBeGreaterThanOrEqual(0);
    expect(untold - (wasKilled ? 1 : 0), `${life.name} asked for ${key}`).toBeLessThanOrEqual(mostly);
  }
  const isFetched = ({ type, task, files, bytes }: Logged) =>
    type === 'progress' && task === 'fetch' && files === 1 && bytes === 0;
  // Left by a process that was killed before it gave the whole its name; from a socket, less comes at once.
  const isWhole = ({ type, files, bytes = 0 }: Logged) =>
    type === 'progress' && files === 0 && bytes > 65_536 && CONTENTS.some(({ length }) => length === bytes);
  const told = log.filter(isFetched).length - log.filter(isWhole).length + retries('Fetching');
  const untold = contents.length - told;
  if (wasKilled) {
    expect(untold, `${life.name} was killed, with requests that nobody told of`).toBeGreaterThanOrEqual(0);
    expect(untold, `${life.name} was killed, with requests that nobody told of`).toBeLessThanOrEqual(CONCURRENCY);
    return;
  }
  expect(untold, `${life.name} told of ${told} requests, and made ${contents.length}`).toBe(0);
  const fetched = log.reduce((sum, line) => sum + (line.fetched ?? 0), 0);
  expect(log.filter(isFetched).length, `${life.name} fetched ${fetched}`).toBe(fetched);
  const counted = (type: string) =>
    log.reduce((sum, line) => sum + (line.type === type && line.task === 'fetch' ? (line.bytes ?? 0) : 0), 0);
  expect(counted('progress'), `${life.name} counted bytes`).toBe(counted('start'));
}

/** All requests are of processes; nameless are those alone by which each finds out that it has to show its token. */
function checkNameless({ rig, processes }: Round): void {
  const named = [...processes.values()].reduce((sum, { requests }) => sum + requests.length, 0);
  const nameless = rig.registry.calls.length - named;
  tally.nameless += nameless;
  expect(nameless).toBeGreaterThanOrEqual(0);
  expect(nameless).toBeLessThanOrEqual(processes.size * CONCURRENCY);
}

/** Says of which content a key is, as project and digest. */
function blobOf(key: string): string {
  const [project = '', asset = '', version = '', ...path] = key.split('/');
  const file = FILES.get(`${project}/${asset}/${version}`)?.get(path.join('/'));
  if (file === undefined) throw new Error(`${key} is no file`);
  return `${project} ${md5(file)}`;
}

function blobsIn(cacheDir: string): ReadonlySet<string> {
  const blobs = join(cacheDir, '.gypsum-client/1/blobs');
  return new Set(
    filesIn(blobs).map((path) => {
      const [project = '', , shard = '', rest = ''] = path.split('/');
      return `${project} ${shard}${rest}`;
    }),
  );
}

function documentsIn(cacheDir: string): ReadonlySet<string> {
  return new Set(filesIn(join(cacheDir, '.gypsum-client/1/versions')));
}

/** Gives the files of a folder that others write to, by their paths below it. */
function filesIn(folder: string, below = ''): string[] {
  try {
    return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? filesIn(folder, path) : [path];
    });
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Reads all that anybody can see of a cache, and throws for a byte that is wrong; `known` need not be read again. */
function checkVisible(
  { cacheDir }: Pick<Round, 'cacheDir'>,
  known: Set<string>,
  manifests: ReadonlyMap<string, string>,
) {
  const look = (path: string, expected: (content: Buffer) => boolean) => {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return;
    const id = `${path} ${stats.ino} ${stats.size} ${stats.mtimeMs}`;
    if (known.has(id)) return;
    if (!stats.isFile() || !expected(readFileSync(path))) throw new Error(`${path} is not what it must be`);
    known.add(id);
    tally.looks++;
  };
  const bucket = join(cacheDir, 'bucket');
  for (const file of filesIn(bucket)) {
    const [project, asset, version, ...path] = file.split('/');
    const ref = `${project}/${asset}/${version}`;
    const wanted = FILES.get(ref)?.get(path.join('/'));
    if (path[0]?.startsWith('..')) look(join(bucket, file), (bytes) => manifests.get(file) === bytes.toString());
    else look(join(bucket, file), (bytes) => wanted?.equals(bytes) ?? false);
  }
  const own = join(cacheDir, '.gypsum-client/1');
  for (const file of filesIn(join(own, 'blobs'))) {
    const [, , shard, rest] = file.split('/');
    look(join(own, 'blobs', file), (bytes) => md5(bytes) === `${shard}${rest}`);
  }
  for (const file of filesIn(join(own, 'versions'))) {
    look(join(own, 'versions', file), (bytes) => manifests.get(file) === bytes.toString());
  }
  for (const file of filesIn(join(cacheDir, 'status'))) {
    const ref = file.slice(0, file.lastIndexOf('/'));
    for (const path of FILES.get(ref)?.keys() ?? []) {
      if (!existsSync(join(bucket, ref, path))) throw new Error(`${ref} is not complete without ${path}`);
    }
  }
}

/** Every link of a clone leads to the file of its version; all are there if it was made to the end. */
function checkClone({ cacheDir }: Round, ref: string, destination: string, isWhole: boolean): void {
  const links = filesIn(destination);
  for (const path of links) expect(readlinkSync(join(destination, path))).toBe(join(cacheDir, 'bucket', ref, path));
  const files = FILES.get(ref) ?? new Map<string, Buffer>();
  for (const path of links)
    expect(readFileSync(join(destination, path)).equals(files.get(path) ?? Buffer.alloc(0))).toBe(true);
  if (isWhole) expect(links.sort()).toEqual([...files.keys()].sort());
}

async function readDocuments({ url }: MockRegistry): Promise<ReadonlyMap<string, string>> {
  const documents = new Map<string, string>();
  for (const key of REFS.flatMap((ref) => [`${ref}/..manifest`, `${ref}/..summary`])) {
    documents.set(key, await (await fetch(`${url}/file/${encodeURIComponent(key)}`)).text());
  }
  return documents;
}

/** What is left is fetched, and nothing else; then nothing is asked for any more. */
async function finish({ rig, cacheDir }: Round): Promise<void> {
  rig.registry.clearFaults();
  const blobs = blobsIn(cacheDir);
  const there = documentsIn(cacheDir);
  rig.registry.resetCalls();
  const client = rig.connect({ cacheDir, token: undefined });
  for (const ref of REFS) await client.saveVersion(toRef(ref));
  const keys = rig.registry.calls.map(({ key = '' }) => key).filter((key) => key !== '');
  expect(keys.filter((key) => (isContent(key) ? blobs.has(blobOf(key)) : there.has(key)))).toEqual([]);
  expect(new Set(keys).size).toBe(keys.length);
  // Whoever is killed leaves a lock, and what it was writing; both are told of and cleared away.
  const { problems } = await client.verifyCache([], { deep: true, repair: true });
  expect(problems.filter(({ fault }) => fault !== 'stale-lock' && fault !== 'leftover')).toEqual([]);
  expect(await client.verifyCache([], { deep: true })).toMatchObject({ problems: [] });
  rig.registry.resetCalls();
  for (const ref of REFS) await rig.connect({ cacheDir }).saveVersion(toRef(ref));
  expect(rig.registry.calls).toEqual([]);
}

it(
  `${PROCESSES} processes on one cache never show a wrong byte (seed ${SEED}, ${ROUNDS} rounds)`,
  async () => {
    const rig = await createRig({ versions: SEEDED });
    const documents = await readDocuments(rig.registry);
    for (let round = FIRST; round < FIRST + ROUNDS; round++) {
      const folder = join(rig.folder, `round-${round}`);
      mkdirSync(folder);
      const locksLie = createRandom(seedOf(SEED, round, 'locks'))(2) === 0;
      const here: Round = { rig, round, folder, cacheDir: join(folder, 'cache'), locksLie, processes: new Map() };
      rig.registry.inject(createFront(round, here.processes));
      rig.registry.resetCalls();
      const known = new Set<string>();
      let isOver = false;
      const playing = Promise.all(Array.from({ length: PROCESSES }, (_, place) => play(here, place)));
      const watching = (async () => {
        for (; !isOver; await setTimeout(20)) checkVisible(here, known, documents);
      })();
      try {
        const end = () => {
          isOver = true;
        };
        await Promise.all([playing.finally(end), watching]);
      } catch (error) {
        for (const { child } of here.processes.values()) child?.kill('SIGKILL');
        throw new Error(`round ${round} of seed ${SEED}${locksLie ? ', in which locks lie,' : ''} failed`, {
          cause: error,
        });
      }
      checkNameless(here);
      checkVisible(here, new Set(), documents);
      for (const { life } of here.processes.values()) {
        for (const { ref, destination } of life.tasks) {
          if (destination !== undefined) checkClone(here, ref, destination, true);
        }
      }
      await finish(here);
      checkVisible(here, new Set(), documents);
      rmSync(folder, { recursive: true });
      tally.rounds++;
    }
    process.stdout.write(`${JSON.stringify(tally)}\n`);
  },
  (ROUNDS + 1) * 60_000,
);
