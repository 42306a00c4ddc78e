import { readFile, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { type Running, startCli } from '../helpers/cli.ts';
import { createRandom } from '../helpers/random.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { checkInvariants } from '../server/invariants.ts';
import { type Talk, talkTo } from '../server/talk.ts';

/** How often the server is killed; more is worth the time now and then. */
const ROUNDS = Number(process.env.GYPSUM_CRASH_ROUNDS ?? 6);
const SEED = Number(process.env.GYPSUM_CRASH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const PROJECTS = ['p0', 'p1', 'p2', 'p3'];

type Files = Readonly<Record<string, string>>;

/** What a client knows of a version: that it is there, or gone, or that it had no answer. */
interface Known {
  readonly files: Files;
  state: 'complete' | 'removed' | 'completing' | 'removing' | 'begun';
}

const OVER = 'connection';

/** A client that uploads and removes until the server is gone, and writes down what it was answered. */
async function work(talk: Talk, project: string, known: Map<string, Known>, random: (below: number) => number) {
  for (;;) {
    const ref = `${project}/a/v${known.size}`;
    const files = Object.fromEntries(
      Array.from({ length: 1 + random(6) }, (_, at) => [`d${at % 2}/f${at}`, `${'x'.repeat(random(5000))} ${at}`]),
    );
    const mine: Known = { files, state: 'begun' };
    known.set(ref, mine);
    try {
      const started = await talk.start(ref, files, { token: TOKEN.value, type: random(2) === 0 ? 'dedup' : 'simple' });
      await talk.send(started, files);
      if (random(8) === 0) {
        await talk.status('POST', started.abort_url, { token: started.session_token });
        mine.state = 'removed';
        continue;
      }
      mine.state = 'completing';
      const status = await talk.status('POST', started.complete_url, { token: started.session_token });
      expect(status).toBe(200);
      mine.state = 'complete';
      if (random(3) > 0) continue;
      const complete = [...known].filter(([, { state }]) => state === 'complete');
      const [gone, other] = complete[random(complete.length)] ?? [ref, mine];
      other.state = 'removing';
      expect(await talk.status('DELETE', `/remove/${gone}`, { token: TOKEN.value })).toBe(200);
      other.state = 'removed';
    } catch (error) {
      if (error instanceof TypeError) return OVER;
      throw error;
    }
  }
}

const TOKEN = { value: '' };

/** Nobody touches the lock of a killed server; that it is as old as it would be after 5 s saves waiting for that. */
async function ageLock(data: string): Promise<void> {
  const lock = join(data, 'lock');
  if (await stat(lock).catch(() => undefined)) await utimes(lock, 0, 0);
}

/** All that was answered holds, and what had no answer is whole or is not there. */
async function look(talk: Talk, known: ReadonlyMap<string, Known>): Promise<void> {
  for (const [ref, version] of known) {
    const read = (path: string) => talk.call('GET', `/file/${encodeURIComponent(`${ref}/${path}`)}`);
    const answer = await read('..summary');
    const isFinished = answer.status === 200 && 'upload_finish' in ((await answer.json()) as object);
    if (version.state === 'complete') expect(isFinished, `${ref} was complete`).toBe(true);
    if (version.state === 'removed') expect(answer.status, `${ref} was removed`).toBe(404);
    if (version.state === 'begun') expect(isFinished, `${ref} was never completed`).toBe(false);
    if (!isFinished) {
      version.state = 'removed';
      continue;
    }
    version.state = 'complete';
    const manifest = (await (await read('..manifest')).json()) as Record<string, { link?: Record<string, string> }>;
    expect(Object.keys(manifest).sort()).toEqual(Object.keys(version.files).sort());
    for (const [path, content] of Object.entries(version.files)) {
      const link = manifest[path]?.link;
      if (link === undefined) expect(await (await read(path)).text()).toBe(content);
    }
  }
}

it(`killed at any moment, a registry keeps what it has answered (seed ${SEED}, ${ROUNDS} rounds)`, async () => {
  const random = createRandom(SEED);
  const data = join(await tempFolder(), 'data');
  const known = new Map(PROJECTS.map((project) => [project, new Map<string, Known>()]));
  let answered = 0;
  const open = async (): Promise<{ server: Running; url: string; talk: Talk }> => {
    const server = startCli(['serve', '--data', data, '--quiet']);
    const url = await server.line();
    TOKEN.value = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    const there = talkTo({
      fetch: async (request) => {
        const { pathname, search } = new URL(request.url);
        const body = request.method === 'GET' ? {} : { body: await request.arrayBuffer() };
        const answer = await fetch(`${url}${pathname}${search}`, {
          method: request.method,
          headers: request.headers,
          ...body,
        });
        answered++;
        return answer;
      },
    });
    return { server, url, talk: there };
  };
  for (let round = 0; ; round++) {
    const { server, url, talk } = await open();
    for (const [project, versions] of known) {
      if (round === 0) {
        expect(await talk.status('POST', `/create/${project}`, { token: TOKEN.value, body: {} })).toBe(200);
        continue;
      }
      const lock = (await (await talk.call('GET', `/lock/${project}`)).json()) as { locked: boolean; work?: string };
      // Whatever the registry does itself is finished before it takes requests: what is left is uploads.
      expect(lock.locked ? lock.work : 'upload').toBe('upload');
      if (round === 1 && project === PROJECTS[0]) {
        const args = ['project', 'unlock', project, '--yes', '--json'];
        const unlock = startCli(args, { GYPSUM_URL: url, GYPSUM_TOKEN: TOKEN.value });
        const { code, stdout, stderr } = await unlock.end();
        expect([code, stderr]).toEqual([0, '']);
        expect(JSON.parse(stdout)).toEqual({ project, wasLocked: lock.locked });
      } else {
        const answer = await talk.call('POST', `/release/${project}`, { token: TOKEN.value });
        expect(await answer.json()).toEqual({ released: lock.locked });
      }
      await look(talk, versions);
      if (round === ROUNDS) await talk.publish(`${project}/after/v1`, { x: 'x' }, { token: TOKEN.value });
    }
    await checkInvariants(data);
    if (round === ROUNDS) break;
    const working = Promise.all([...known].map(([project, versions]) => work(talk, project, versions, random)));
    // So many answers, and a moment more: however fast a machine is, it comes as far.
    const enough = answered + 1 + random(250);
    while (answered < enough) await setTimeout(1);
    await setTimeout(random(10));
    server.child.kill('SIGKILL');
    expect(await working).toEqual(PROJECTS.map(() => OVER));
    await server.end();
    await ageLock(data);
  }
}, 600_000);
