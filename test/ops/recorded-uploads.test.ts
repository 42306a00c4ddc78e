import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disconnected, type Fault, status } from '../../mocks/index.ts';
import type { AnnouncedFile, Client, UploadSession } from '../../src/index.ts';
import { thisProcess } from '../../src/process-owner.ts';
import { createUploadStore } from '../../src/state/upload-store.ts';
import { createRig, md5, type Rig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.txt': 'content of a', 'b.txt': 'content of b', empty: '' };
const seed = { projects: { p: {}, q: {} } };

const describeFiles = (folder: string, files: Readonly<Record<string, string>> = FILES): AnnouncedFile[] =>
  Object.entries(files).map(([path, content]) => ({
    path,
    size: content.length,
    md5sum: md5(content),
    source: join(folder, path),
  }));

/** An upload that this process has started, sent some files of, and left, as if it had been killed. */
async function interrupted(
  rig: Rig,
  { ref = V1, sent = ['a.txt'] } = {},
): Promise<{ session: UploadSession; mine: string }> {
  const mine = await rig.makeFolder('mine', FILES);
  const session = await rig.client.startUpload(ref, describeFiles(mine));
  await rig.client.uploadFiles({ ...session, files: session.files.filter(({ path }) => sent.includes(path)) }, mine);
  await createUploadStore(rig.stateDir).leave(session.id ?? '', session.id ?? '');
  rig.registry.resetCalls();
  return { session, mine };
}

const uploads = async ({ client }: Rig) => (await client.listUploads()).uploads;

const recordPath = ({ stateDir }: Rig, { id = '' }: UploadSession) => join(stateDir, 'uploads', `${id}.jsonl`);

/** What the public registry does not have. */
const plain: Fault = async (request, next) => {
  if (/\/(lock|release)\//.test(request.url))
    return Response.json({ status: 'error', reason: 'no such endpoint' }, { status: 404 });
  const answer = await next();
  const headers = new Headers(answer.headers);
  headers.delete('gypsum-features');
  return new Response(answer.body, { status: answer.status, headers });
};

describe('an upload', () => {
  it('is written down while it goes on, and not a moment longer; never in the cache', async () => {
    const rig = await createRig(seed);
    const seen: unknown[] = [];
    let token = '';
    rig.registry.inject(
      async (request, next) => {
        token = request.headers.get('authorization')?.slice('Bearer '.length) ?? '';
        seen.push(await uploads(rig));
        return next();
      },
      { route: 'complete' },
    );
    await rig.client.uploadDirectory(V1, await rig.makeFolder('mine', FILES));
    const total = { files: 3, bytes: 24 };
    const { host, pid } = thisProcess();
    expect(seen).toMatchObject([
      [
        {
          ...V1,
          registry: rig.registry.url,
          state: 'running',
          process: { host, pid },
          isAnswered: true,
          sent: total,
          total,
        },
      ],
    ]);
    expect(JSON.stringify(seen)).not.toContain(token);
    expect(await uploads(rig)).toEqual([]);
    expect(await readdir(join(rig.stateDir, 'uploads'))).toEqual([]);
    expect(JSON.stringify(await readTree(rig.cacheDir).catch(() => ({})))).not.toContain(token);
  });

  it('is not written down where there is no folder for it', async () => {
    const rig = await createRig(seed);
    const client = rig.connect({ stateDir: undefined });
    const session = await client.startUpload(V1, []);
    expect(session.id).toBeUndefined();
    expect(existsSync(rig.stateDir)).toBe(false);
    await client.completeUpload(session);
    const calls = [() => client.listUploads(), () => client.resumeUpload(V1), () => client.abortRecordedUpload(V1)];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: 'invalid-argument', details: { option: 'stateDir' } });
    }
  });

  it('is not started where it cannot be written down', async () => {
    const rig = await createRig(seed);
    await writeFile(rig.stateDir, 'a file where the folder should be');
    const mine = await rig.makeFolder('mine', FILES);
    await expect(rig.client.uploadDirectory(V1, mine)).rejects.toMatchObject({
      code: expect.stringMatching(/EEXIST|ENOTDIR/),
    });
    expect(rig.registry.count({ method: 'POST' })).toBe(0);
  });

  it('that was refused, or was aborted, leaves nothing behind', async () => {
    const rig = await createRig(seed);
    const mine = await rig.makeFolder('mine', FILES);
    const token = await rig.registry.addUser('somebody');
    await expect(rig.connect({ token }).uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'forbidden' });
    rig.registry.inject(status(400), { route: 'complete' });
    await expect(rig.client.uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'refused' });
    rig.registry.inject(async () => Response.json({ status: 'error', reason: 'no' }), { route: 'start' });
    await expect(rig.client.uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'refused' });
    expect(await uploads(rig)).toEqual([]);
  });

  it('that could not be aborted can be resumed by the same process', async () => {
    const rig = await createRig(seed);
    const mine = await rig.makeFolder('mine', FILES);
    rig.registry.inject(status(500), { route: 'put', key: /b\.txt/ });
    rig.registry.inject(disconnected(), { route: 'abort' });
    const upload = rig.connect({ retries: 0, concurrency: 1 }).uploadDirectory(V1, mine, rig.watch);
    await expect(upload).rejects.toMatchObject({ code: 'unavailable' });
    expect(rig.events.at(-1)).toMatchObject({ type: 'upload-abandoned', isRecorded: true });
    rig.registry.clearFaults();
    rig.registry.resetCalls();
    expect(await uploads(rig)).toMatchObject([{ state: 'interrupted', sent: { files: 1 } }]);
    expect(await rig.client.resumeUpload(V1)).toMatchObject({ files: 3, sent: { files: 2, bytes: 12 } });
    expect(rig.registry.count({ route: 'put' })).toBe(2);
  });
});

describe('text, bytes and streams', () => {
  it.each(['resume', 'abort'])('of an upload that could not be aborted are kept until the %s', async (way) => {
    const rig = await createRig(seed);
    rig.registry.inject(status(500), { route: 'put' });
    rig.registry.inject(disconnected(), { route: 'abort' });
    const contents = [{ path: 'x', content: 'text' }];
    await expect(rig.connect({ retries: 0 }).uploadContents(V1, contents)).rejects.toThrow();
    rig.registry.clearFaults();
    const incoming = join(rig.client.context.cache.layout.incoming('x'), '..');
    expect(await readdir(incoming)).toHaveLength(1);
    if (way === 'resume') expect(await rig.client.resumeUpload(V1)).toMatchObject({ sent: { files: 1, bytes: 4 } });
    else expect(await rig.client.abortRecordedUpload(V1)).toMatchObject({ outcome: 'aborted' });
    expect(await readdir(incoming)).toEqual([]);
  });
});

describe('a presigned URL', () => {
  const expired: Fault = async () =>
    new Response('<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>', { status: 403 });

  it('that has expired is asked for again', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(expired, { route: 'put', key: /a\.txt/, times: 1 });
    await rig.client.uploadDirectory(V1, await rig.makeFolder('mine', FILES));
    expect(rig.registry.count({ route: 'presign', key: /a\.txt/ })).toBe(2);
    expect(rig.registry.count({ route: 'put', key: /a\.txt/ })).toBe(2);
    expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 3 });
  });

  it('is asked for again once', async () => {
    const rig = await createRig(seed);
    rig.registry.inject(expired, { route: 'put', key: /a\.txt/ });
    const mine = await rig.makeFolder('mine', FILES);
    await expect(rig.client.uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'forbidden' });
    expect(rig.registry.count({ route: 'presign', key: /a\.txt/ })).toBe(2);
    expect(await uploads(rig)).toEqual([]);
  });
});

describe.each([
  ['with what ours has beside the contract', false],
  ['with the contract alone, as the public one', true],
])('with a registry %s, an interrupted upload', (_name, isPlain) => {
  const open = async () => {
    const rig = await createRig(seed);
    if (isPlain) rig.registry.inject(plain);
    return rig;
  };

  it('is resumed: what is missing is sent', async () => {
    const rig = await open();
    await interrupted(rig);
    expect(await uploads(rig)).toMatchObject([
      { ...V1, state: 'interrupted', sent: { files: 1 }, total: { files: 3 } },
    ]);
    expect(await rig.client.resumeUpload(V1, rig.watch)).toEqual({
      ...V1,
      published: true,
      files: 3,
      bytes: 24,
      sent: { files: 2, bytes: 12 },
      linked: { files: 0, bytes: 0 },
    });
    expect(rig.registry.count({ route: 'put' })).toBe(2);
    expect(rig.events.at(-1)).toEqual({ type: 'upload-completed', ref: V1 });
    expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 3, bytes: 24 });
    expect(await uploads(rig)).toEqual([]);
  });

  it('is aborted', async () => {
    const rig = await open();
    await interrupted(rig);
    expect(await rig.client.abortRecordedUpload(V1, rig.watch)).toEqual({ ...V1, outcome: 'aborted' });
    expect(rig.events).toEqual([{ type: 'upload-aborted', ref: V1 }]);
    expect(await rig.client.listVersions(V1)).toEqual([]);
    expect(await uploads(rig)).toEqual([]);
  });

  it.each(['resume', 'abort'])('that somebody else has completed is found to be, by %s', async (way) => {
    const rig = await open();
    const { session, mine } = await interrupted(rig);
    const elsewhere = rig.connect({ stateDir: undefined });
    await elsewhere.uploadFiles(session, mine);
    await elsewhere.completeUpload(session);
    if (way === 'resume') expect(await rig.client.resumeUpload(V1, rig.watch)).toMatchObject({ published: true });
    else expect(await rig.client.abortRecordedUpload(V1)).toEqual({ ...V1, outcome: 'completed' });
    expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 3 });
    expect(await uploads(rig)).toEqual([]);
  });

  it.each<[string, string, (rig: Rig, session: UploadSession) => Promise<unknown>]>([
    ['resume', 'was aborted', (rig, session) => rig.connect({ stateDir: undefined }).abortUpload(session)],
    ['abort', 'was aborted', (rig, session) => rig.connect({ stateDir: undefined }).abortUpload(session)],
    ['resume', 'was unlocked', (rig) => rig.client.unlockProject('p')],
    ['abort', 'was unlocked', (rig) => rig.client.unlockProject('p')],
    ['resume', 'has made way for another one', makeWay],
    ['abort', 'has made way for another one', makeWay],
    [
      'resume',
      'has gone with its project',
      (rig) => rig.client.unlockProject('p').then(() => rig.client.removeProject('p')),
    ],
    [
      'abort',
      'has gone with its project',
      (rig) => rig.client.unlockProject('p').then(() => rig.client.removeProject('p')),
    ],
  ])('ends %s and is forgotten where it %s', async (way, _what, end) => {
    const rig = await open();
    const { session } = await interrupted(rig);
    await end(rig, session);
    if (way === 'resume') {
      await expect(rig.client.resumeUpload(V1)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('somebody else has ended it'),
      });
    } else expect(await rig.client.abortRecordedUpload(V1)).toEqual({ ...V1, outcome: 'over' });
    expect(await uploads(rig)).toEqual([]);
  });

  /** The same version is published by somebody else, with other content. */
  async function makeWay(rig: Rig, session: UploadSession) {
    const elsewhere = rig.connect({ stateDir: undefined });
    await elsewhere.abortUpload(session);
    await elsewhere.uploadContents(V1, [{ path: 'a.txt', content: 'other' }]);
  }
});

describe('a resume', () => {
  it.each<[string, (file: string) => Promise<unknown>]>([
    ['has changed', (file) => writeFile(file, 'CONTENT OF B')],
    ['is gone', (file) => rm(file)],
  ])('says where a file %s that it is to abort and publish again; until then all stays', async (_what, change) => {
    const rig = await createRig(seed);
    const { mine } = await interrupted(rig);
    await change(join(mine, 'b.txt'));
    await expect(rig.client.resumeUpload(V1, rig.watch)).rejects.toMatchObject({
      code: 'file-changed',
      message: expect.stringContaining('b.txt'),
      hint: expect.stringContaining('gypsum uploads abort p/a/v1'),
    });
    expect(rig.events.at(-1)).toEqual({ type: 'upload-kept', ref: V1 });
    expect(rig.registry.count({ route: 'abort' })).toBe(0);
    expect(await uploads(rig)).toMatchObject([{ state: 'interrupted' }]);
    expect(await rig.client.abortRecordedUpload(V1)).toMatchObject({ outcome: 'aborted' });
  });

  it('that is stopped or fails is not the end: the next one goes on', async () => {
    const rig = await createRig(seed);
    await interrupted(rig, { sent: [] });
    const stop = new AbortController();
    const reason = new Error('enough');
    const stopping: Fault = async (_request, next) => {
      stop.abort(reason);
      return next();
    };
    rig.registry.inject(stopping, { route: 'put', key: /b\.txt/, times: 1 });
    const one = rig.connect({ concurrency: 1, retries: 0 });
    await expect(one.resumeUpload(V1, { ...rig.watch, signal: stop.signal })).rejects.toBe(reason);
    expect(rig.events.at(-1)).toEqual({ type: 'upload-kept', ref: V1 });
    rig.registry.inject(status(500), { route: 'complete', times: 1 });
    await expect(one.resumeUpload(V1)).rejects.toMatchObject({ code: 'unavailable' });
    expect(await uploads(rig)).toMatchObject([{ state: 'interrupted', sent: { files: 3 } }]);
    rig.registry.resetCalls();
    expect(await one.resumeUpload(V1)).toMatchObject({ published: true, sent: { files: 0 } });
    expect(rig.registry.count({ route: 'put' })).toBe(0);
  });

  it('is one at a time', async () => {
    const rig = await createRig(seed);
    await interrupted(rig, { sent: [] });
    let refused = () => {};
    const isRefused = new Promise<void>((resolve) => {
      refused = resolve;
    });
    const waiting: Fault = async (_request, next) => {
      await isRefused;
      return next();
    };
    rig.registry.inject(waiting, { route: 'put' });
    const resume = (client: Client) =>
      client.resumeUpload(V1).catch((error: unknown) => {
        refused();
        throw error;
      });
    const both = await Promise.allSettled([resume(rig.client), resume(rig.connect())]);
    const failed = both.filter(({ status: how }) => how === 'rejected');
    expect(failed).toMatchObject([{ reason: { code: 'in-use', message: expect.stringContaining(`${process.pid}`) } }]);
    expect(rig.registry.count({ route: 'put' })).toBe(3);
    expect(await rig.client.saveVersion(V1)).toMatchObject({ files: 3 });
  });

  it('does not touch what a process works at; nobody aborts that either', async () => {
    const rig = await createRig(seed);
    const session = await rig.client.startUpload(V1, []);
    expect(await uploads(rig)).toMatchObject([{ state: 'running' }]);
    const running = { code: 'in-use', hint: expect.stringContaining('Ctrl-C') };
    for (const options of [{}, { force: true }]) {
      await expect(rig.client.resumeUpload(V1, options)).rejects.toMatchObject(running);
      await expect(rig.client.abortRecordedUpload(V1, options)).rejects.toMatchObject(running);
    }
    await rig.client.completeUpload(session);
  });

  it('has to be told that a process on another machine is gone', async () => {
    const rig = await createRig(seed);
    const { session } = await interrupted(rig);
    const claim = { claim: 'theirs', host: 'elsewhere', pid: 1 };
    await appendFile(recordPath(rig, session), `${JSON.stringify(claim)}\n`);
    expect(await uploads(rig)).toMatchObject([{ state: 'unknown', process: { host: 'elsewhere', pid: 1 } }]);
    const unknown = { code: 'in-use', hint: expect.stringContaining('--force') };
    await expect(rig.client.resumeUpload(V1)).rejects.toMatchObject(unknown);
    await expect(rig.client.abortRecordedUpload(V1)).rejects.toMatchObject(unknown);
    expect(await rig.client.resumeUpload(V1, { force: true })).toMatchObject({ published: true });
  });

  it('of an upload whose files nobody has told of is refused, and an abort is not', async () => {
    const rig = await createRig(seed);
    const session = await rig.client.startUpload(V1, [{ path: 'x', size: 1, md5sum: md5('x') }]);
    await createUploadStore(rig.stateDir).leave(session.id ?? '', session.id ?? '');
    await expect(rig.client.resumeUpload(V1)).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await rig.client.abortRecordedUpload(V1)).toMatchObject({ outcome: 'aborted' });
  });

  it.each([0, 1, 2])(
    'of an upload that was killed when it had written down %i of its files is refused, and an abort is not',
    async (known) => {
      const rig = await createRig(seed);
      const { session, mine } = await interrupted(rig, { sent: [] });
      const path = recordPath(rig, session);
      const lines = (await readFile(path, 'utf8')).split('\n');
      const files = lines.filter((line) => line.startsWith('{"file":'));
      await writeFile(path, lines.filter((line) => !files.slice(known).includes(line)).join('\n'));
      expect(await uploads(rig)).toMatchObject([
        { isAnswered: true, sent: { files: 0 }, total: { files: 3, bytes: 24 } },
      ]);
      const end = expect.stringMatching(/^End it \(gypsum uploads abort p\/a\/v1\), and publish again\.$/);
      await expect(rig.client.resumeUpload(V1)).rejects.toMatchObject({ code: 'invalid-argument', hint: end });
      await expect(rig.client.uploadDirectory(V2, mine)).rejects.toMatchObject({ code: 'project-locked', hint: end });
      expect(await rig.client.abortRecordedUpload(V1)).toEqual({ ...V1, outcome: 'aborted' });
      expect(await rig.client.uploadDirectory(V1, mine)).toMatchObject({ published: true });
    },
  );

  it('reads what was put into the cache for it, which is gone afterwards', async () => {
    const rig = await createRig(seed);
    const spooled = rig.client.context.cache.layout.incoming('spooled');
    await mkdir(join(spooled, '..'), { recursive: true });
    await writeFile(spooled, 'text');
    const file = { path: 'x', size: 4, md5sum: md5('text'), source: spooled };
    for (const way of ['resume', 'abort']) {
      await writeFile(spooled, 'text');
      const session = await rig.client.startUpload(way === 'resume' ? V1 : V2, [file], { deduplicate: false });
      await createUploadStore(rig.stateDir).leave(session.id ?? '', session.id ?? '');
      if (way === 'resume') await rig.client.resumeUpload(V1);
      else await rig.client.abortRecordedUpload(V2);
      expect(existsSync(spooled)).toBe(false);
    }
  });
});

describe('an upload that was left', () => {
  it('is named to whoever finds its project locked, or its version there', async () => {
    const rig = await createRig(seed);
    const { mine } = await interrupted(rig);
    const remedy = { hint: expect.stringMatching(/uploads resume p\/a\/v1.*uploads abort p\/a\/v1/) };
    await expect(rig.client.uploadDirectory(V2, mine)).rejects.toMatchObject({
      code: 'project-locked',
      message: expect.stringContaining('your own upload of p/a/v1'),
      ...remedy,
    });
    await expect(rig.client.uploadDirectory(V1, mine)).rejects.toMatchObject({ code: 'version-exists', ...remedy });
    const other = rig.connect({ stateDir: join(rig.folder, 'somebody') });
    await expect(other.uploadDirectory(V2, mine)).rejects.toMatchObject({
      message: expect.not.stringContaining('your own'),
      hint: expect.not.stringContaining('resume'),
    });
  });

  it('is another registry’s where its URL is another one', async () => {
    const rig = await createRig(seed);
    const { session } = await interrupted(rig);
    const path = recordPath(rig, session);
    await writeFile(path, (await readFile(path, 'utf8')).replace(rig.registry.url, 'http://other.example'));
    expect(await uploads(rig)).toMatchObject([{ registry: 'http://other.example' }]);
    const elsewhere = { code: 'not-found', hint: expect.stringContaining('http://other.example') };
    await expect(rig.client.resumeUpload(V1)).rejects.toMatchObject(elsewhere);
    await expect(rig.client.abortRecordedUpload(V1)).rejects.toMatchObject(elsewhere);
    expect(rig.registry.calls).toEqual([]);
  });

  it('sends its token to no other origin, whatever its record says', async () => {
    const rig = await createRig(seed);
    const { session } = await interrupted(rig);
    const path = recordPath(rig, session);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll('"/upload', '"http://evil.example/upload'));
    const error: unknown = await rig.client.resumeUpload(V1).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid-response', message: expect.stringContaining('http://evil.example') });
    await expect(rig.client.abortRecordedUpload(V1)).rejects.toMatchObject({ code: 'invalid-response' });
    expect(JSON.stringify(error)).not.toContain(session.token);
  });

  it('is one of several to one version where it is named by its id', async () => {
    const rig = await createRig(seed);
    const { session } = await interrupted(rig);
    const intent = await createUploadStore(rig.stateDir).announce(rig.registry.url, V1);
    await createUploadStore(rig.stateDir).leave(intent, intent);
    const named = (await uploads(rig)).map(({ id, isAnswered }) => [id, isAnswered]);
    expect(named).toEqual([
      [session.id, true],
      [intent, false],
    ]);
    await expect(rig.client.resumeUpload({ ...V1, id: intent })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(await rig.client.resumeUpload(V1)).toMatchObject({ published: true });
    expect(await rig.client.abortRecordedUpload({ ...V1, id: intent })).toMatchObject({ outcome: 'over' });
    expect(await uploads(rig)).toEqual([]);
  });
});
