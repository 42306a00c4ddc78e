import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { talkTo } from '../server/talk.ts';

/** Serves a new folder, with a project `p`, and speaks to it. */
async function serve(words: readonly string[]) {
  const data = join(await tempFolder(), 'data');
  const server = startCli(['serve', '--quiet', '--data', data, '--port', '0', ...words]);
  const url = await server.line();
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
  const talk = talkTo({
    fetch: async (request) =>
      fetch(url + new URL(request.url).pathname, {
        method: request.method,
        headers: request.headers,
        ...(request.body !== null && { body: await request.arrayBuffer() }),
      }),
  });
  expect(await talk.status('POST', '/create/p', { token, body: {} })).toBe(200);
  return { server, url, token, talk };
}

/** Begins to send the five bytes of a file, of which two are still to come. */
async function beginPut({ url, token, talk }: Awaited<ReturnType<typeof serve>>) {
  const started = await talk.start('p/a/v1', { x: 'hello' }, { token });
  const answer = await talk.call('POST', started.file_urls[0]?.url ?? '', { token: started.session_token });
  const address = (await answer.json()) as { url: string; md5sum_base64: string };
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  const expects = `PUT ${new URL(address.url).pathname} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n`;
  socket.write(`${expects}content-md5: ${address.md5sum_base64}\r\ncontent-length: 5\r\n\r\n`);
  // The server listens to this one from here on.
  expect(String(await once(socket, 'data'))).toContain('100 Continue');
  socket.write('hel');
  return { socket, started };
}

async function isRefused(port: number): Promise<boolean> {
  const socket: Socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

describe('a registry that is told to stop', () => {
  it('lets an upload that is arriving end, and takes no more', async () => {
    const rig = await serve(['--grace', '60s']);
    const idle = connect(Number(new URL(rig.url).port), '127.0.0.1');
    await once(idle, 'connect');
    const dropped = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => {});
    const { socket } = await beginPut(rig);
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    rig.server.child.kill('SIGTERM');
    await dropped;
    await expect.poll(() => isRefused(Number(new URL(rig.url).port))).toBe(true);
    socket.write('lo');
    await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*connection: close\r\n/);
    expect((await rig.server.end()).code).toBe(0);
  });

  it('ends at once when it is told so again', async () => {
    const rig = await serve(['--grace', '60s']);
    await beginPut(rig);
    rig.server.child.kill('SIGTERM');
    await expect.poll(() => isRefused(Number(new URL(rig.url).port))).toBe(true);
    rig.server.child.kill('SIGTERM');
    expect((await rig.server.end()).code).toBe(143);
  });
});

describe('the command of', () => {
  it.each(['gypsum.service', 'compose.yaml'])('docs/%s serves, and logs and counts what it answers', async (name) => {
    const text = await readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
    const command = /gypsum(?:-client)? serve ([^\n]*(?:\n +--[^\n]*)*)/.exec(text)?.[1] ?? '';
    const own = /--(?:data|host|port) \S+/g;
    expect(command.match(own)).toHaveLength(3);
    const { server, url, token } = await serve(command.replace(own, '').trim().split(/\s+/));
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('{method="POST",route="create",status="200"} 1\n');
    const moved = await fetch(`${url}//x`, { redirect: 'manual' });
    const base = /--base-url (\S+)/.exec(command)?.[1] ?? url;
    expect(moved.headers.get('location')).toBe(`${base}/x`);
    server.child.kill('SIGTERM');
    const { code, stderr } = await server.end();
    expect([
      code,
      stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ]).toEqual([
      0,
      [
        expect.objectContaining({ route: 'create', path: '/create/p', status: 200, user: 'admin' }),
        expect.objectContaining({ path: '/metrics', status: 200 }),
        expect.objectContaining({ path: '//x', status: 301, id: moved.headers.get('x-request-id') }),
      ],
    ]);
    expect(stderr).not.toContain(token);
  });
});

it('gypsum serve --session-ttl aborts what nobody goes on with, and says so', async () => {
  const { server, token, talk } = await serve(['--session-ttl', '1s', '--log', 'text', '--max-uploads', '1']);
  await talk.publish('p/a/v1', { x: 'hello' }, { token });
  await talk.start('p/a/v2', { x: 'world' }, { token });
  const isLocked = async () => ((await (await talk.call('GET', '/lock/p')).json()) as { locked: boolean }).locked;
  await expect.poll(isLocked, { timeout: 20_000, interval: 200 }).toBe(false);
  expect((await talk.call('GET', '/file/p%2Fa%2Fv2%2F..summary')).status).toBe(404);
  expect(await (await talk.call('GET', '/file/p%2Fa%2Fv1%2Fx')).text()).toBe('hello');
  server.child.kill('SIGTERM');
  const { stderr } = await server.end();
  expect(stderr).toContain('Ended an upload to project "p" that nobody went on with.\n');
  expect(stderr).toMatch(/ "admin" POST \/upload\/start\/p\/a\/v2 200 \d+ B /);
}, 60_000);
