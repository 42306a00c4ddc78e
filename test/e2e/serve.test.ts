import { once } from 'node:events';
import { chmod, readFile, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

describe('gypsum serve', () => {
  it('prints its URL first, then the new token and the exact next command', async () => {
    const folder = await tempFolder();
    const server = startCli(['serve', '--data', 'a registry'], {}, { cwd: folder });
    const url = await server.line();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${url}/list`)).json()).toEqual([]);
    server.child.kill('SIGINT');
    const { code, stdout, stderr } = await server.end();
    expect(code).toBe(0);
    expect(stderr).toBe('Stopping.\n');
    const tokenFile = join(folder, 'a registry/admin-token');
    const token = (await readFile(tokenFile, 'utf8')).trim();
    expect(stdout).toContain(`\n  ${token}\n`);
    expect(stdout).toContain(
      `\n  export GYPSUM_URL=${url} GYPSUM_TOKEN="$(cat '${tokenFile}')"\n  gypsum project create my-project\n`,
    );
    expect((await stat(tokenFile)).mode & 0o777).toBe(0o600);
  });

  it('prints the URL alone when it is quiet, and the token only once in any case', async () => {
    const data = join(await tempFolder(), 'data');
    const first = startCli(['serve', '--data', data, '--quiet']);
    const url = await first.line();
    first.child.kill('SIGTERM');
    expect(await first.end()).toEqual({ code: 0, stdout: `${url}\n`, stderr: '' });
    const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    const second = startCli(['serve', '--data', data]);
    await second.line();
    second.child.kill('SIGINT');
    const { stdout } = await second.end();
    expect(stdout).not.toContain(token);
    expect(stdout).toContain('gypsum projects');
  });

  it('names the machine where it listens to others, and says that nothing is encrypted', async () => {
    const data = join(await tempFolder(), 'data');
    const server = startCli(['serve', '--data', data, '--host', '0.0.0.0', '--private']);
    const { port } = new URL(await server.line());
    server.child.kill('SIGINT');
    const { stdout, stderr } = await server.end();
    expect(stdout).toContain(`export GYPSUM_URL=http://${hostname()}:${port} `);
    expect(stderr).toMatch(/^Tokens and files travel unencrypted: .*--base-url.*\nStopping\.\n$/);
    await chmod(data, 0o755);
    const other = startCli([
      'serve',
      '--data',
      data,
      '--host',
      '0.0.0.0',
      '--private',
      '--base-url',
      'https://x.org/y',
    ]);
    await other.line();
    other.child.kill('SIGINT');
    const told = await other.end();
    expect(told.stdout).toContain('export GYPSUM_URL=https://x.org/y ');
    expect(told.stderr).toMatch(/^Other users of this machine can read .*: chmod o-rwx .*\nStopping\.\n$/);
  });

  it('says for how long it waits for what, when it is told to stop', async () => {
    const data = join(await tempFolder(), 'data');
    const server = startCli(['serve', '--data', data, '--grace', '90s']);
    const { port } = new URL(await server.line());
    const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    const socket = connect(Number(port), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    const headers = `host: x\r\nauthorization: Bearer ${token}\r\nexpect: 100-continue\r\ncontent-length: 2\r\n`;
    socket.write(`POST /create/p HTTP/1.1\r\n${headers}\r\n`);
    expect(String(await once(socket, 'data'))).toContain('100 Continue');
    let told = '';
    server.child.stderr?.on('data', (text) => {
      told += text;
    });
    server.child.kill('SIGTERM');
    await expect.poll(() => told).toBe('Stopping: waiting up to 90 s for 1 request.\n');
    socket.end('{}');
    expect((await server.end()).code).toBe(0);
  });

  it.each([
    [15, ['--data', 'file']],
    [15, ['--data', 'dangling']],
    [15, ['--data', 'file/reg']],
    [2, ['--data', 'new', '--host', '999.1.1.1']],
  ])('ends with %i and says what to do: %j', async (code, words) => {
    const folder = await tempFolder();
    layOut(folder, { file: '', dangling: { link: 'nowhere' } });
    const ended = await startCli(['serve', ...words], {}, { cwd: folder }).end();
    expect(ended).toEqual({ code, stdout: '', stderr: expect.stringMatching(/^gypsum: .*\n(?:Name|It is) .*\n$/) });
  });

  it('prints its URL as JSON for scripts that ask for that', async () => {
    const folder = await tempFolder();
    const server = startCli(['serve', '--data', 'data', '--json'], {}, { cwd: folder });
    const { url, data } = JSON.parse(await server.line());
    expect({ ok: (await fetch(`${url}/list`)).ok, data }).toEqual({ ok: true, data: join(folder, 'data') });
    server.child.kill('SIGINT');
    expect((await server.end()).stdout.split('\n')).toHaveLength(2);
  });

  it('keeps what it answered as complete when it is killed', async () => {
    const { makeFolder, connect, folder } = await createRig();
    const data = join(folder, 'data');
    const first = startCli(['serve', '--data', data, '--quiet']);
    const url = await first.line();
    const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim();
    const client = connect({ url, token, cacheDir: join(folder, 'cache-1') });
    await client.createProject('p');
    const ref = { project: 'p', asset: 'a', version: 'v1' };
    await client.uploadDirectory(ref, await makeFolder('mine', { 'a.txt': 'a', 'b/c.txt': 'c' }));
    first.child.kill('SIGKILL');
    await first.end();
    const second = startCli(['serve', '--data', data, '--quiet']);
    const reader = connect({ url: await second.line(), cacheDir: join(folder, 'cache-2') });
    expect(await reader.saveVersion(ref)).toMatchObject({ files: 2, fetched: { contents: 2 } });
  });
});
