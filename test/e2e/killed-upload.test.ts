import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import { each } from '../../src/each.ts';
import type { GypsumEvent, VersionRef } from '../../src/index.ts';
import { formatTreeRecord, TREE_RECORD } from '../../src/model/tree-record.ts';
import { MAIN } from '../helpers/cli.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const SCRIPT = fileURLToPath(new URL('../helpers/mortal-upload.mjs', import.meta.url));

/** Two of them are links of the version before; three have to be sent. */
const OLD = { 'same.txt': 'the same', 'sub/same.txt': 'the same, too' };
const FILES = { ...OLD, 'a.txt': 'content of a', 'sub/b.txt': 'content of b', 'ünï c': 'content of c' };
const SENT = 3;

/** A process for each moment takes a while on a small machine. Units: milliseconds */
const PATIENCE = 600_000;

interface Mortal {
  readonly child: ChildProcess;
  /** Waits for its end, and gives what it has told until then. */
  end(): Promise<GypsumEvent[]>;
}

/** Starts an upload as a process, or goes on with one where no folder is given. */
function start(rig: Rig, ref: VersionRef, { folder, dieAt }: { folder?: string; dieAt?: number } = {}): Mortal {
  if (!existsSync(MAIN)) throw new Error('The package is not built: "npm run build" first.');
  const { registry, cacheDir, stateDir } = rig;
  const log = join(rig.folder, `events-${ref.project}-${Math.random()}`);
  const context = { url: registry.url, token: registry.token, cacheDir, stateDir, concurrency: 1, retries: 0 };
  const argument = JSON.stringify({ context, ref, folder, dieAt, log });
  const child = spawn(process.execPath, [SCRIPT, argument], { stdio: ['ignore', 'inherit', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  return {
    child,
    async end() {
      const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
      if (code !== 0 && signal !== 'SIGKILL') throw new Error(`It ended with ${code ?? signal}: ${stderr}`);
      const lines = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
      return lines.map((line) => JSON.parse(line) as GypsumEvent);
    },
  };
}

/** A registry with a version in each of some projects, and a folder to publish as the next one. */
async function prepare(projects: readonly string[]) {
  const versions = Object.fromEntries(projects.map((project) => [`${project}/a/v1`, OLD]));
  const rig = await createRig({ versions });
  return { rig, mine: await rig.makeFolder('mine', FILES) };
}

const refOf = (project: string): VersionRef => ({ project, asset: 'a', version: 'v2' });

async function recordOf({ client }: Rig, { project }: VersionRef) {
  const { uploads, damaged } = await client.listUploads();
  expect(damaged).toEqual([]);
  return uploads.find((upload) => upload.project === project);
}

const puts = ({ registry }: Rig, { project }: VersionRef) =>
  registry.count({ route: 'put', key: new RegExp(`^${project}/`) });

/** The version is whole, nothing holds its project, and nothing of its upload is written down. */
async function expectPublished(rig: Rig, ref: VersionRef): Promise<void> {
  const { cacheDir } = rig;
  await rig.client.saveVersion(ref);
  expect(await readTree(join(cacheDir, 'bucket', ref.project, ref.asset, ref.version))).toMatchObject(FILES);
  expect((await rig.client.fetchSummary(ref)).uploadFinish).toBeInstanceOf(Date);
  expect(await rig.client.fetchLock(ref.project)).toBeUndefined();
  expect(await recordOf(rig, ref)).toBeUndefined();
}

/** Nothing of the version is there, nothing holds its project, and nothing of its upload is written down. */
async function expectNothing(rig: Rig, ref: VersionRef): Promise<void> {
  expect(await rig.client.listVersions(ref)).toEqual(['v1']);
  await expect(rig.client.fetchSummary(ref)).rejects.toMatchObject({ code: 'not-found' });
  expect(await rig.client.fetchLock(ref.project)).toBeUndefined();
  expect(await recordOf(rig, ref)).toBeUndefined();
}

async function resume(rig: Rig, ref: VersionRef): Promise<void> {
  const record = await recordOf(rig, ref);
  expect(record).toMatchObject({ state: 'interrupted', isAnswered: true, total: { files: SENT } });
  const missing = SENT - (record?.sent.files ?? 0);
  const before = puts(rig, ref);
  const result = await rig.client.resumeUpload(ref);
  expect(result).toMatchObject({ published: true, files: 5, sent: { files: missing }, linked: { files: 2 } });
  expect(puts(rig, ref) - before).toBe(missing);
}

describe('kill -9 at any event of an upload', () => {
  const filesDone = (events: readonly GypsumEvent[]) =>
    events.filter((event) => event.type === 'progress' && event.files === 1).length;

  it(
    'is mended by resume, which sends what is missing, and by abort, which leaves nothing',
    async () => {
      const { rig, mine } = await prepare(['whole']);
      const all = await start(rig, refOf('whole'), { folder: mine }).end();
      await expectPublished(rig, refOf('whole'));
      expect(all.map(({ type }) => type)).toEqual(expect.arrayContaining(['upload-started', 'upload-completed']));
      expect(filesDone(all)).toBe(SENT);

      const rounds = all.flatMap((_, at) => [
        { dieAt: at + 1, project: `resumed${at}`, way: 'resume' },
        { dieAt: at + 1, project: `aborted${at}`, way: 'abort' },
      ]);
      await rig.registry.publish({
        versions: Object.fromEntries(rounds.map(({ project }) => [`${project}/a/v1`, OLD])),
      });
      await each(rounds, { concurrency: 4 }, async ({ dieAt, project, way }) => {
        const ref = refOf(project);
        const events = await start(rig, ref, { folder: mine, dieAt }).end();
        expect(events).toHaveLength(dieAt);
        if (dieAt === all.length) {
          // It has told that it is completed: there is nothing left to do.
          await expectPublished(rig, ref);
          return;
        }
        expect((await recordOf(rig, ref))?.sent.files).toBe(filesDone(events));
        if (way === 'resume') {
          await resume(rig, ref);
          await expectPublished(rig, ref);
        } else {
          expect(await rig.client.abortRecordedUpload(ref)).toEqual({ ...ref, outcome: 'aborted' });
          await expectNothing(rig, ref);
        }
      });
    },
    PATIENCE,
  );

  it('and of every resume after it, is mended by the last one: each file is sent once', async () => {
    const { rig, mine } = await prepare(['p']);
    const ref = refOf('p');
    await start(rig, ref, { folder: mine, dieAt: 1 }).end();
    let done = 0;
    for (let round = 0; round < SENT; round++) {
      // The events are: it begins, the bytes of a file, the file.
      const events = await start(rig, ref, { dieAt: 3 }).end();
      expect(filesDone(events)).toBe(1);
      expect((await recordOf(rig, ref))?.sent.files).toBe(++done);
    }
    await resume(rig, ref);
    expect(puts(rig, ref)).toBe(SENT);
    await expectPublished(rig, ref);
  });
});

describe('kill -9 of an upload of a folder with symlinks', () => {
  it('is mended by resume with the tree record as it was made, also where the folder has changed', async () => {
    const { rig, mine } = await prepare(['p']);
    const ref = refOf('p');
    await writeFile(join(mine, TREE_RECORD), formatTreeRecord({ entries: [] }));
    await symlink('a.txt', join(mine, 'own'));
    await start(rig, ref, { folder: mine, dieAt: 1 }).end();
    await rm(join(mine, 'own'));
    expect(await rig.client.resumeUpload(ref)).toMatchObject({ files: 5, sent: { files: SENT } });
    expect(puts(rig, ref)).toBe(SENT + 1);
    await expectPublished(rig, ref);
    const { entries, stale } = await rig.client.readTree(ref);
    expect(entries.filter(({ type }) => type === 'symlink')).toMatchObject([{ path: 'own', target: 'a.txt' }]);
    expect(stale).toEqual([]);
  });
});

describe('kill -9 while the registry works at a request', () => {
  interface Moment {
    readonly route: 'start' | 'presign' | 'put' | 'complete';
    /** Of the requests of this kind. */
    readonly nth: number;
    /** Before the registry has done what was asked, or when it has. */
    readonly when: 'before' | 'after';
  }

  const moments = (route: Moment['route'], count: number): Moment[] =>
    Array.from({ length: count }, (_, at) => at + 1).flatMap((nth) => [
      { route, nth, when: 'before' },
      { route, nth, when: 'after' },
    ]);

  /** Uploads, and is killed at a moment. */
  async function killAt({ route, nth, when }: Moment, rig: Rig, ref: VersionRef, folder: string): Promise<void> {
    let mortal: Mortal | undefined;
    let seen = 0;
    const fault: Fault = async (request, next) => {
      const isMine = 'key' in filter || request.url.includes(`/${ref.project}/`);
      if (!isMine || ++seen !== nth) return next();
      const answer = when === 'after' ? await next() : Response.error();
      mortal?.child.kill('SIGKILL');
      await mortal?.end();
      return answer;
    };
    const hasKey = route === 'presign' || route === 'put';
    const filter = { route, ...(hasKey && { key: new RegExp(`^${ref.project}/`) }) };
    rig.registry.inject(fault, filter);
    mortal = start(rig, ref, { folder });
    await mortal.end();
    expect(seen).toBe(nth);
  }

  const all = [...moments('presign', SENT), ...moments('put', SENT), ...moments('complete', 1)];
  const named = all.map((moment) => ({ ...moment, project: `${moment.route}-${moment.nth}-${moment.when}` }));

  it(
    'is mended by resume, which sends what is missing',
    async () => {
      const { rig, mine } = await prepare(named.map(({ project }) => project));
      await each(named, { concurrency: 4 }, async ({ project, ...moment }) => {
        const ref = refOf(project);
        await killAt(moment, rig, ref, mine);
        await resume(rig, ref);
        await expectPublished(rig, ref);
      });
    },
    PATIENCE,
  );

  it(
    'is mended by abort, which leaves nothing but what was published',
    async () => {
      const { rig, mine } = await prepare(named.map(({ project }) => project));
      await each(named, { concurrency: 4 }, async ({ project, ...moment }) => {
        const ref = refOf(project);
        await killAt(moment, rig, ref, mine);
        const isPublished = moment.route === 'complete' && moment.when === 'after';
        const outcome = isPublished ? 'completed' : 'aborted';
        expect(await rig.client.abortRecordedUpload(ref)).toEqual({ ...ref, outcome });
        await (isPublished ? expectPublished : expectNothing)(rig, ref);
      });
    },
    PATIENCE,
  );

  it.each(moments('start', 1))('is known where nobody has got its answer: $route, $when', async (moment) => {
    const { rig, mine } = await prepare(['p']);
    const ref = refOf('p');
    await killAt(moment, rig, ref, mine);
    rig.registry.clearFaults();
    expect(await recordOf(rig, ref)).toMatchObject({ state: 'interrupted', isAnswered: false });
    const hint = expect.stringContaining('gypsum project unlock p');
    await expect(rig.client.resumeUpload(ref)).rejects.toMatchObject({ code: 'invalid-argument', hint });
    if (moment.when === 'after') {
      const v3 = { ...ref, version: 'v3' };
      await expect(rig.client.abortRecordedUpload(ref)).rejects.toMatchObject({ code: 'project-locked', hint });
      await expect(rig.client.uploadDirectory(v3, mine)).rejects.toMatchObject({
        code: 'project-locked',
        message: expect.stringContaining('your own upload of p/a/v2'),
        hint,
      });
      expect(await rig.client.releaseProject('p')).toBe(true);
    }
    expect(await rig.client.abortRecordedUpload(ref)).toEqual({ ...ref, outcome: 'over' });
    await expectNothing(rig, ref);
  });

  it('is forgotten where an upload to the project was answered since', async () => {
    const { rig, mine } = await prepare(['p']);
    const ref = refOf('p');
    await killAt({ route: 'start', nth: 1, when: 'before' }, rig, ref, mine);
    rig.registry.clearFaults();
    await rig.client.uploadDirectory(ref, mine);
    await expectPublished(rig, ref);
  });
});
