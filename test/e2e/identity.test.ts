import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRegistry } from '../../src/server/index.ts';
import { type Running, startCli } from '../helpers/cli.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { startGithub } from '../helpers/github-stand-in.ts';
import { createRig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Sends a request as the recording does; gives the status, and the document of the answer. */
async function send(url: string, method: string, path: string, token?: string, body?: unknown) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

async function stop(server: Running) {
  server.child.kill('SIGINT');
  return server.end();
}

const cli = (...argv: string[]) => startCli(argv).end();

/** Makes the folder of a registry that has been served once. */
async function servedFolder(folder?: string): Promise<string> {
  const data = join(folder ?? (await tempFolder()), 'data');
  await (await openRegistry({ data })).close();
  return data;
}

describe('gypsum serve --identity github', () => {
  it('asks GitHub who people are, as the recording has it', async () => {
    const github = await startGithub();
    const data = join(await tempFolder(), 'data');
    const flags = ['--identity', 'github', '--github-url', github.url, '--admins', 'LTLA,jkanche'];
    const server = startCli(['serve', '--quiet', ...flags, '--data', data, '--port', '0']);
    const url = await server.line();
    const permissions = { owners: ['ProjectOwner', 'owner-org'], uploaders: [{ id: 'upload-org' }] };
    const statuses = async (method: string, path: string, tokens: string[], body: unknown) => {
      const answers = tokens.map((token) => send(url, method, path, token, body));
      return (await Promise.all(answers)).map(({ status }) => status);
    };
    expect(await send(url, 'POST', '/create/alpha', undefined, {})).toMatchObject({ status: 401 });
    const refused = ['tok-unknown', 'tok-github500', 'tok-noorgscope', 'tok-owner'];
    expect(await statuses('POST', '/create/alpha', refused, {})).toEqual([401, 401, 403, 403]);
    expect(await statuses('POST', '/create/alpha', ['tok-admin'], { permissions })).toEqual([200]);
    expect(await statuses('POST', '/create/beta', ['tok-admin2'], { permissions })).toEqual([200]);
    const users = ['tok-owner', 'tok-orgowner', 'tok-expiring', 'tok-uploader'];
    expect(await statuses('PUT', '/permissions/alpha', users, {})).toEqual([200, 200, 200, 403]);
    const uploaders = ['tok-uploader', 'tok-orguploader'];
    expect(await statuses('POST', '/upload/start/alpha/a/v1', uploaders, { files: [] })).toEqual([403, 200]);
    expect(await send(url, 'GET', '/whoami', 'tok-admin')).toEqual({ status: 200, body: { id: 'LTLA', admin: true } });
    expect(await send(url, 'GET', '/whoami', 'tok-github500')).toEqual({
      status: 401,
      body: { status: 'error', reason: 'Failed to query GitHub for user identity: Server Error.' },
    });
    // Each that is known was asked about once, however often it came.
    const asked = github.calls.filter((call) => call === '/user tok-admin');
    expect(asked).toHaveLength(1);
    expect(await stop(server)).toEqual({ code: 0, stdout: `${url}\n`, stderr: '' });
    const left = pathsBelow(data);
    expect(left.filter((name) => /token/.test(name))).toEqual([]);
  });

  it('names no token of its own, also in a folder that has one', async () => {
    const data = await servedFolder();
    await cli('token', 'create', 'alice', '--data', data);
    const admin = await readFile(join(data, 'admin-token'), 'utf8');
    const server = startCli(['serve', '--identity', 'github', '--github-url', 'http://127.0.0.1:2', '--data', data]);
    const url = await server.line();
    expect(await send(url, 'GET', '/whoami', admin.trim())).toMatchObject({ status: 401 });
    const { stdout } = await stop(server);
    expect(stdout).not.toContain('admin-token');
    expect(stdout).toContain(`\n  export GYPSUM_URL=${url}\n  gypsum login\n`);
  });

  it.each([
    ['a URL that is none', ['--identity', 'github', '--github-url', 'ftp://github.com'], /It is a URL such as/],
    ['a URL without GitHub', ['--github-url', 'https://api.github.com'], /Give --identity github too/],
    ['another provider', ['--identity', 'gitlab'], /Allowed choices are tokens, github/],
    ['a nameless administrator', ['--admins', 'LTLA,'], /names with commas between/],
  ])('refuses %s', async (_name, flags, message) => {
    const data = join(await tempFolder(), 'data');
    const { code, stdout, stderr } = await cli('serve', '--data', data, ...flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    await expect(readdir(data)).rejects.toThrow(/ENOENT/);
  });
});

it('gypsum serve names no file of a token that was revoked', async () => {
  const data = await servedFolder();
  await cli('token', 'create', 'boss', '--admin', '--data', data);
  await cli('token', 'revoke', 'admin', '--data', data);
  const server = startCli(['serve', '--data', data]);
  const url = await server.line();
  const { stdout } = await stop(server);
  expect(stdout).not.toContain('admin-token');
  expect(stdout).toContain(`\n  export GYPSUM_URL=${url}\n  gypsum login\n`);
});

describe('gypsum serve --private', () => {
  it('is read from the command line with a token of "gypsum token create"', async () => {
    const { folder, makeFolder, connect } = await createRig();
    const data = await servedFolder(folder);
    const { stdout: token } = await cli('token', 'create', 'alice', '--quiet', '--data', data);
    const server = startCli(['serve', '--quiet', '--private', '--admins', 'alice', '--data', data]);
    const url = await server.line();
    const alice = connect({ url, token: token.trim(), cacheDir: join(folder, 'alice') });
    await alice.createProject('p');
    await alice.uploadDirectory(
      { project: 'p', asset: 'a', version: 'v1' },
      await makeFolder('mine', { 'a.txt': 'a' }),
    );
    const clone = async (name: string, environment: NodeJS.ProcessEnv) =>
      startCli(
        ['clone', 'p/a', join(folder, name), '--registry', url, '--cache', join(folder, 'cache')],
        environment,
      ).end();
    expect(await clone('without', {})).toMatchObject({
      code: 8,
      stderr: expect.stringContaining('Log in with "gypsum login"'),
    });
    expect(await clone('with', { GYPSUM_TOKEN: token.trim() })).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, 'with/a.txt'), 'utf8')).toBe('a');
  });
});

describe('gypsum token', () => {
  it('makes, lists and revokes while the registry is served', async () => {
    const data = join(await tempFolder(), 'data');
    const server = startCli(['serve', '--quiet', '--data', data]);
    const url = await server.line();
    const made = await cli('token', 'create', 'alice', '--expires', '30d', '--data', data);
    expect(made).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^gypsum_[\w-]{43}\n$/),
      stderr: 'This is the token of alice, which is shown only now:\n',
    });
    const token = made.stdout.trim();
    expect(await send(url, 'GET', '/whoami', token)).toMatchObject({ body: { id: 'alice', admin: false } });

    const { stdout: json } = await cli('token', 'create', 'boss', '--admin', '--json', '--data', data);
    const boss = JSON.parse(json);
    expect(await send(url, 'GET', '/whoami', boss.token)).toMatchObject({ body: { id: 'boss', admin: true } });
    const { stdout: list } = await cli('token', 'list', '--data', data);
    expect(list.split('\n')).toEqual([
      expect.stringMatching(/^[0-9a-f]{8} {2}admin {2}admin {2}since \S+$/),
      expect.stringMatching(/^[0-9a-f]{8} {2}alice {2}user {3}since \S+, until \S+$/),
      expect.stringMatching(new RegExp(`^${boss.id} {2}boss {3}admin {2}since \\S+$`)),
      '',
    ]);
    expect(JSON.parse((await cli('token', 'list', '--json', '--data', data)).stdout)).toHaveLength(3);

    const revoked = await cli('token', 'revoke', 'alice', '--data', data);
    expect(revoked).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^Revoked 1 token: alice \([0-9a-f]{8}\)\n$/),
      stderr: '',
    });
    expect(await send(url, 'GET', '/whoami', token)).toMatchObject({ status: 401 });
    expect(await cli('token', 'revoke', 'alice', '--data', data)).toMatchObject({ code: 5, stdout: '' });
    expect((await stop(server)).stderr).toBe('');
  });

  it('loses no token of two that are made at the same time', async () => {
    const data = await servedFolder();
    const users = ['a', 'b', 'c', 'd'];
    const made = await Promise.all(users.map((name) => cli('token', 'create', name, '--quiet', '--data', data)));
    expect(made.map(({ code, stderr }) => ({ code, stderr }))).toEqual(users.map(() => ({ code: 0, stderr: '' })));
    const listed = JSON.parse((await cli('token', 'list', '--json', '--data', data)).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name).sort()).toEqual(['a', 'admin', 'b', 'c', 'd']);
  });

  it.each([[], ['--data', 'elsewhere']])(
    'makes none where there is no registry, and no folder: %j',
    async (...flags) => {
      const folder = await tempFolder();
      const { code, stdout, stderr } = await startCli(
        ['token', 'create', 'alice', ...flags],
        {
          HOME: folder,
          XDG_DATA_HOME: join(folder, 'share'),
        },
        { cwd: folder },
      ).end();
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
      expect(stderr).toMatch(/There is no registry in .*"gypsum serve" was given as --data/s);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it('makes none that has expired', async () => {
    const data = join(await tempFolder(), 'data');
    const { code, stderr } = await cli('token', 'create', 'alice', '--expires', '2020-01-01', '--data', data);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('in the past') });
    await expect(readdir(data)).rejects.toThrow(/ENOENT/);
  });
});
