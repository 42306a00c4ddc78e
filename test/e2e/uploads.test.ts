import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { delay, type Fault } from '../../mocks/index.ts';
import { type Running, startCli } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const FILES = { 'a.txt': 'content of a', 'b.txt': 'content of b', 'c.txt': 'content of c' };

const environment = ({ registry, cacheDir, stateDir }: Rig) => ({
  GYPSUM_URL: registry.url,
  GYPSUM_CACHE_DIR: cacheDir,
  GYPSUM_STATE_DIR: stateDir,
  GYPSUM_TOKEN: registry.token,
});

const run = (rig: Rig, ...argv: string[]) => startCli(argv, environment(rig)).end();

/** Ends when the registry has been asked for so much. */
async function seen(rig: Rig, filter: Parameters<Rig['registry']['count']>[0], upload: Running): Promise<void> {
  while (rig.registry.count(filter) === 0 && upload.child.exitCode === null) await setTimeout(5);
}

/** Uploads to some projects, and kills the command when it sends the last file of each. */
async function interrupt(...projects: string[]): Promise<Rig> {
  const rig = await createRig({ projects: Object.fromEntries(projects.map((project) => [project, {}])) });
  const mine = await rig.makeFolder('mine', FILES);
  for (const project of projects) {
    const key = new RegExp(`^${project}/.*c\\.txt`);
    rig.registry.inject(delay(600_000), { route: 'presign', key });
    const upload = startCli(['upload', mine, `${project}/a/v1`], environment(rig));
    await seen(rig, { route: 'presign', key }, upload);
    while (rig.registry.count({ route: 'put', key: new RegExp(`^${project}/`) }) < 2) await setTimeout(5);
    await expect.poll(async () => (await rig.client.listUploads()).uploads.at(-1)?.sent.files).toBe(2);
    upload.child.kill('SIGKILL');
    await upload.end();
  }
  rig.registry.clearFaults();
  rig.registry.resetCalls();
  return rig;
}

describe('gypsum uploads', () => {
  it('says that there is nothing where there is nothing', async () => {
    const rig = await createRig();
    expect(await run(rig, 'uploads')).toMatchObject({
      code: 0,
      stdout: 'There is no upload that has not come to its end.\n',
    });
    expect(JSON.parse((await run(rig, 'uploads', '--json')).stdout)).toEqual({ uploads: [], damaged: [] });
    expect(await run(rig, 'uploads', 'resume')).toMatchObject({ code: 5 });
    expect(await run(rig, 'uploads', 'abort', '--all')).toMatchObject({
      code: 0,
      stdout: 'There is no upload that was interrupted.\n',
    });
  });

  it('is no other command, however it is written', async () => {
    const rig = await createRig();
    expect(await run(rig, 'uploads', 'lsit')).toMatchObject({ code: 2, stdout: '' });
    expect((await run(rig, 'uploads', '--help')).stdout).toMatch(/list.*resume.*abort/s);
    expect((await run(rig, 'help', 'uploads')).stdout).toMatch(/list.*resume.*abort/s);
  });

  it('lists a killed upload, and resumes it', async () => {
    const rig = await interrupt('p');
    const list = await run(rig, 'uploads');
    expect(list).toMatchObject({ code: 0, stderr: '' });
    expect(list.stdout).toMatch(/^p\/a\/v1 {2}interrupted since 2\S+, sent 2 of 3 files, 36 B\n$/);
    expect((await run(rig, 'uploads', '--registry', rig.registry.url)).stdout).toBe(list.stdout);
    expect(JSON.parse((await run(rig, 'uploads', 'list', '--json')).stdout)).toMatchObject({
      uploads: [
        { project: 'p', state: 'interrupted', isAnswered: true, sent: { files: 2 }, total: { files: 3, bytes: 36 } },
      ],
    });
    const resume = await run(rig, 'uploads', 'resume');
    expect(resume).toEqual({
      code: 0,
      stderr: '',
      stdout: 'Published p/a/v1: 3 files, 36 B; sent of them now: 1 file, 12 B.\n',
    });
    expect(rig.registry.count({ route: 'put' })).toBe(1);
    expect((await run(rig, 'uploads')).stdout).toContain('There is no upload');
  });

  it('aborts the one that is named, or all', async () => {
    const rig = await interrupt('p', 'q', 'r');
    for (const word of ['resume', 'abort']) {
      const { code, stderr } = await run(rig, 'uploads', word);
      expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining('p/a/v1, q/a/v1, r/a/v1') });
    }
    const one = await run(rig, 'uploads', 'abort', 'q/a/v1');
    expect(one).toMatchObject({ code: 0, stdout: 'Aborted the upload of q/a/v1.\n' });
    const all = await run(rig, 'uploads', 'abort', '--all', '--json');
    expect(all.code).toBe(0);
    expect(JSON.parse(all.stdout)).toEqual(
      ['p', 'r'].map((project) => ({ project, asset: 'a', version: 'v1', outcome: 'aborted' })),
    );
    for (const project of ['p', 'q', 'r']) {
      expect(await rig.client.fetchLock(project)).toBeUndefined();
      expect(await rig.client.listAssets(project)).toEqual([]);
    }
  });

  it('is named by whoever finds the project locked', async () => {
    const rig = await interrupt('p');
    const again = await run(rig, 'upload', `${rig.folder}/mine`, 'p/a/v2');
    expect(again.code).toBe(9);
    expect(again.stderr).toContain('It may be your own upload of p/a/v1.');
    expect(again.stderr).toContain('gypsum uploads resume p/a/v1');
  });

  it('keeps what a resume is stopped at', async () => {
    const rig = await interrupt('p');
    rig.registry.inject(delay(600_000), { route: 'put' });
    const resume = startCli(['uploads', 'resume', 'p/a/v1'], environment(rig));
    await seen(rig, { route: 'put' }, resume);
    const running = await run(rig, 'uploads');
    expect(running.stdout).toContain(`p/a/v1  running (process ${resume.child.pid} on `);
    expect(await run(rig, 'uploads', 'abort', 'p/a/v1')).toMatchObject({ code: 16 });
    resume.child.kill('SIGINT');
    const { code, stderr } = await resume.end();
    expect(code).toBe(130);
    // A machine that is slow tells how far it is.
    expect(stderr.replace(/^Sent .*\n/gm, '')).toBe(
      'The upload of p/a/v1 is kept as far as it has come, and its project locked. Go on with it (gypsum uploads resume p/a/v1), or end it (gypsum uploads abort p/a/v1).\nInterrupted by SIGINT.\n',
    );
    rig.registry.clearFaults();
    expect(await run(rig, 'uploads', 'resume', 'p/a/v1')).toMatchObject({ code: 0 });
  });

  it('tells of a start whose answer was lost how to free the project', async () => {
    const rig = await createRig({ projects: { p: {} } });
    const mine = await rig.makeFolder('mine', FILES);
    const lost: Fault = async (_request, next) => {
      await next();
      return Response.error();
    };
    rig.registry.inject(lost, { route: 'start' });
    const upload = await run(rig, 'upload', mine, 'p/a/v1');
    expect(upload).toMatchObject({ code: 11, stderr: expect.stringContaining('gypsum project unlock p') });
    expect((await run(rig, 'uploads')).stdout).toMatch(/before the registry answered.*"gypsum project unlock p"/);
    expect(await run(rig, 'uploads', 'abort')).toMatchObject({ code: 9 });
    expect(await run(rig, 'project', 'unlock', 'p', '--yes')).toMatchObject({ code: 0 });
    expect(await run(rig, 'uploads', 'abort')).toMatchObject({
      code: 0,
      stdout: 'The upload of p/a/v1 was over already; it is forgotten.\n',
    });
  });
});
