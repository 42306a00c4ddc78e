import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkAnnouncedFiles } from '../../src/server/announced-files.ts';
import { listen } from '../../src/server/index.ts';
import { createRig, md5, type Rig, type Started } from './rig.ts';

const FILES = { 'x.txt': 'hello', 'dir/y.txt': 'world' };

/** Units: milliseconds */
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

async function listing(rig: Rig, prefix = ''): Promise<unknown> {
  return (await rig.call('GET', `/list?recursive=true&prefix=${encodeURIComponent(prefix)}`)).json();
}

const post = (rig: Rig, url: string, started: Started) => rig.call('POST', url, { token: started.session_token });

describe('a start', () => {
  it('is won by exactly one of many at once', async () => {
    const rig = await createRig();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        rig.call('POST', `/upload/start/p/a/v${i}`, { token: 'owner', body: { files: [] } }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array(19).fill(403)]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect(await rig.json('p/..LOCK')).toMatchObject({ asset: 'a', version: `v${winner}` });
    expect(await listing(rig, 'p/a/')).toEqual([`p/a/v${winner}/..manifest`, `p/a/v${winner}/..summary`]);
    expect(rig.errors).toEqual([]);
  });

  it('says since when and by whom a project is locked', async () => {
    const rig = await createRig();
    await rig.start('v1', FILES);
    const answer = await rig.call('POST', '/upload/start/p/a/v2', { token: 'admin', body: { files: [] } });
    expect(await answer.json()).toMatchObject({ reason: expect.stringMatching(/"owner" since \d{4}-/) });
  });

  it('of a version that exists is refused and touches nothing', async () => {
    const rig = await createRig();
    await rig.publish('v1', FILES);
    const before = await listing(rig);
    const answer = await rig.call('POST', '/upload/start/p/a/v1', { token: 'owner', body: { files: [] } });
    expect(answer.status).toBe(400);
    expect(await listing(rig)).toEqual(before);
    expect(await (await rig.call('GET', '/file/p%2Fa%2Fv1%2Fx.txt')).text()).toBe('hello');
  });

  it.each([
    ['a path below a file', ['x', 'x/y']],
    ['a path below a file, with another in between', ['x/y', 'x-', 'x']],
    ['the same path twice', ['x', 'x']],
    ['a path that is too long', ['x'.repeat(1020)]],
    ['a folder whose links would be too long', [`${'x'.repeat(1016)}/y`]],
    ['a path that leads out', ['../x']],
    ['a path with a NUL', ['x\0']],
    ['a path that is no Unicode', ['x\ud800']],
  ])('with %s is refused and leaves nothing', async (_, paths) => {
    const rig = await createRig();
    const files = paths.map((path) => ({ type: 'simple', path, size: 1, md5sum: md5('1') }));
    const answer = await rig.call('POST', '/upload/start/p/a/v1', { token: 'owner', body: { files } });
    expect(answer.status).toBe(400);
    expect(await listing(rig)).toEqual(['p/..permissions', 'p/..quota', 'p/..usage']);
  });

  it('takes 100,000 files, and refuses a body that is nested without end', async () => {
    const rig = await createRig();
    const files = Array.from({ length: 100_000 }, (_, i) => ({
      type: 'simple',
      path: `folder-${i % 100}/file-${i}.txt`,
      size: 1,
      md5sum: md5('1'),
    }));
    const answer = await rig.call('POST', '/upload/start/p/a/v1', { token: 'owner', body: { files } });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as Started).file_urls).toHaveLength(100_000);
    const deep = `{"uploaders":[{"id":"x","extra":${'['.repeat(100_000)}${']'.repeat(100_000)}}]}`;
    const refused = await rig.call('PUT', '/permissions/p', { token: 'owner', body: deep });
    expect(refused.status).toBe(400);
    const large = await rig.call('PUT', '/permissions/p', { token: 'owner', body: `"${'x'.repeat(2 ** 20)}"` });
    expect(large.status).toBe(413);
    expect(rig.errors).toEqual([]);
  });

  it('lets others have their turn while many files are looked at', async () => {
    const file = { type: 'simple', size: 0, md5sum: md5('') };
    const files = Array.from({ length: 200_000 }, (_, at) => ({ ...file, path: `f${at}` }));
    let turns = 0;
    let isDone = false;
    const take = () => {
      turns++;
      if (!isDone) setImmediate(take);
    };
    setImmediate(take);
    await checkAnnouncedFiles(files, { project: 'p', asset: 'a', version: 'v1' });
    isDone = true;
    expect(turns).toBeGreaterThan(1);
  });

  it('clears what an interrupted abort has left of the version', async () => {
    const rig = await createRig();
    await mkdir(join(rig.data, 'objects/p/a/v1'), { recursive: true });
    await writeFile(join(rig.data, 'objects/p/a/v1/x.txt'), 'HELLO');
    const started = await rig.start('v1', { 'x.txt': 'hello' });
    const answer = await post(rig, started.complete_url, started);
    expect(await answer.json()).toMatchObject({ reason: expect.stringContaining('"x.txt" has not been uploaded') });
  });
});

describe('a slug', () => {
  it('is worth nothing when it is changed, and nothing in another session', async () => {
    const rig = await createRig();
    const first = await rig.start('v1', FILES);
    const slug = first.file_urls[0]?.url ?? '';
    const [payload = '', signature = ''] = slug.slice(slug.lastIndexOf('/') + 1).split('.');
    const fields = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const forge = (at: number, value: unknown) => {
      const forged = Buffer.from(JSON.stringify(fields.toSpliced(at, 1, value))).toString('base64url');
      return `/upload/presigned-file/${forged}.${signature}`;
    };
    for (const url of [forge(3, '..summary'), forge(4, md5('other')), forge(5, 6), forge(6, 9e15), slug.slice(0, -2)]) {
      expect((await post(rig, url, first)).status).toBe(403);
    }
    expect((await post(rig, slug, first)).status).toBe(200);
    await post(rig, first.abort_url, first);
    const second = await rig.start('v1', FILES);
    expect((await post(rig, slug, second)).status).toBe(403);
    expect(second.file_urls[0]?.url).not.toBe(slug);
  });

  it('is no address of content, and the other way round', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', FILES);
    const { url, md5sum_base64 } = await rig.address(started, 'x.txt');
    const content = url.slice(url.lastIndexOf('/') + 1);
    const slug = started.file_urls[0]?.url.split('/').at(-1);
    expect((await post(rig, `/upload/presigned-file/${content}`, started)).status).toBe(403);
    const put = await rig.call('PUT', `/upload/content/${slug}`, {
      body: 'hello',
      headers: { 'content-md5': md5sum_base64 },
    });
    expect(put.status).toBe(403);
  });
});

describe('an upload that goes on for weeks', () => {
  it('has addresses for its files all the time, and each of them one for its content, for an hour', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const rig = await createRig({ sessionTtl: 30 * DAY });
    const started = await rig.start('v1', FILES);
    const put = async ({ url, md5sum_base64 }: { url: string; md5sum_base64: string }) =>
      (await rig.call('PUT', url, { body: 'hello', headers: { 'content-md5': md5sum_base64 } })).status;
    vi.setSystemTime(Date.now() + 29 * DAY);
    const address = await rig.address(started, 'x.txt');
    vi.setSystemTime(Date.now() + 59 * MINUTE);
    expect(await put(address)).toBe(200);
    vi.setSystemTime(Date.now() + 2 * MINUTE);
    expect(await put(address)).toBe(403);
    await rig.send(started, FILES);
    expect((await post(rig, started.complete_url, started)).status).toBe(200);
  });
});

describe('content', () => {
  it('is refused after an abort and after a completion', async () => {
    const rig = await createRig();
    const put = (address: { url: string; md5sum_base64: string }, body: string) =>
      rig.call('PUT', address.url, { body, headers: { 'content-md5': address.md5sum_base64 } });
    const aborted = await rig.start('v1', FILES);
    const late = await rig.address(aborted, 'x.txt');
    await post(rig, aborted.abort_url, aborted);
    expect((await put(late, 'hello')).status).toBe(403);
    // Not in the next session of the same version either.
    const completed = await rig.start('v1', FILES);
    expect((await put(late, 'hello')).status).toBe(403);
    const later = await rig.address(completed, 'x.txt');
    await rig.send(completed, FILES);
    await post(rig, completed.complete_url, completed);
    expect((await put(later, 'hello')).status).toBe(403);
    expect(await readdir(join(rig.data, 'incoming'))).toEqual([]);
  });

  it('that arrives while the upload is aborted does not appear', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', FILES);
    const { url, md5sum_base64 } = await rig.address(started, 'x.txt');
    let goOn = () => {};
    const waiting = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(Buffer.from('hel'));
        await waiting;
        controller.enqueue(Buffer.from('lo'));
        controller.close();
      },
    });
    const init = { method: 'PUT', body, headers: { 'content-md5': md5sum_base64 }, duplex: 'half' };
    const putting = rig.registry.fetch(new Request(url, init as RequestInit));
    await post(rig, started.abort_url, started);
    goOn();
    expect((await putting).status).toBe(403);
    expect(await listing(rig, 'p/a/')).toEqual([]);
    expect(await readdir(join(rig.data, 'incoming'))).toEqual([]);
  });

  /** Sends content as it is written, whatever length is said of it, and gives the answer. */
  async function sendRaw(rig: Rig, length: number, body: string, { ends = false } = {}): Promise<string> {
    const listener = await listen(rig.registry.fetch);
    onTestFinished(() => listener.close());
    const { url, md5sum_base64 } = await rig.address(await rig.start('v1', { 'x.txt': 'hello' }), 'x.txt');
    return new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(listener.port, '127.0.0.1', () => {
        socket.write(
          `PUT ${new URL(url).pathname} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
            `Content-MD5: ${md5sum_base64}\r\nContent-Length: ${length}\r\n\r\n${body}`,
        );
        if (ends) socket.end();
      });
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });
  }

  it.each([
    ['is shorter than it says', 5, 'hel', { ends: true }],
    ['is shorter than the manifest says', 3, 'hel', {}],
    ['is longer than the manifest says', 6, 'hello!', {}],
    ['is another of the same length', 5, 'HELLO', {}],
  ])('over a socket that %s leaves nothing', async (_, length, body, options) => {
    const rig = await createRig();
    expect(await sendRaw(rig, length, body, options)).not.toMatch(/^HTTP\/1\.1 200/);
    expect(await listing(rig, 'p/a/v1/x')).toEqual([]);
    await expect.poll(() => readdir(join(rig.data, 'incoming'))).toEqual([]);
  });

  it('over a socket ends where it says it does: what follows is never in it', async () => {
    const rig = await createRig();
    await sendRaw(rig, 5, 'hello and more');
    await expect.poll(() => readdir(join(rig.data, 'incoming'))).toEqual([]);
    const stored = await rig.call('GET', '/file/p%2Fa%2Fv1%2Fx.txt');
    if (stored.status !== 404) expect(await stored.text()).toBe('hello');
  });

  it('over a socket is taken when all is right', async () => {
    const rig = await createRig();
    expect(await sendRaw(rig, 5, 'hello')).toMatch(/^HTTP\/1\.1 200/);
    expect(await listing(rig, 'p/a/v1/x')).toEqual(['p/a/v1/x.txt']);
  });

  it('needs the Content-MD5 that it was announced with', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', FILES);
    const { url } = await rig.address(started, 'x.txt');
    expect((await rig.call('PUT', url, { body: 'hello' })).status).toBe(403);
  });
});

describe('an end', () => {
  it('is one only, of many completions and aborts at once', async () => {
    const rig = await createRig();
    const started = await rig.start('v1', FILES);
    await rig.send(started, FILES);
    const urls = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? started.complete_url : started.abort_url));
    const answers = await Promise.all(urls.map((url) => post(rig, url, started)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(403)]);
    expect(await rig.json('p/a/..latest')).toEqual({ version: 'v1' });
    expect(await rig.json('p/..usage')).toEqual({ total: 10 });
  });

  it('takes names of any kind', async () => {
    const rig = await createRig();
    const files = {
      __proto__1: '1',
      toString: '2',
      '日本/😀.txt': '3',
      'a%2Fb': '4',
      ' ': '5',
      ['x'.repeat(300)]: '6',
    };
    const odd = { ...files, ['__proto__']: '7' };
    await rig.publish('v1', odd);
    const manifest = (await rig.json('p/a/v1/..manifest')) as object;
    expect(Object.keys(manifest).sort()).toEqual(Object.keys(odd).sort());
    for (const [path, content] of Object.entries(odd)) {
      const answer = await rig.call('GET', `/file/${encodeURIComponent(`p/a/v1/${path}`)}`);
      expect(await answer.text()).toBe(content);
    }
    expect(((await listing(rig, 'p/a/v1/')) as string[]).length).toBe(9);
  });
});
