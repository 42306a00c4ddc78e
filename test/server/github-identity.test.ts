import { describe, expect, it } from 'vitest';
import { createToken, githubIdentity, withAdmins } from '../../src/server/index.ts';
import { startGithub } from '../helpers/github-stand-in.ts';

const MINUTE = 60_000;

describe('an identity from GitHub', () => {
  it('has the name and the organisations of the account, on however many pages', async () => {
    const github = await startGithub({ t: { login: 'Ann', organizations: ['a', 'b', 'c', 'd', 'e'] } });
    github.pageSize = 2;
    const identity = githubIdentity({ url: github.url });
    expect(await identity.identify('t')).toEqual({ id: 'Ann', organizations: ['a', 'b', 'c', 'd', 'e'], admin: false });
  });

  it('asks once for some minutes, also when asked by many at once, and then again', async () => {
    const github = await startGithub();
    let now = 0;
    const identity = githubIdentity({ url: github.url, now: () => now });
    await Promise.all(Array.from({ length: 20 }, () => identity.identify('tok-owner')));
    expect(github.calls).toEqual(['/user tok-owner', '/user/orgs tok-owner']);
    now = 4.9 * MINUTE;
    await identity.identify('tok-owner');
    expect(github.calls).toHaveLength(2);
    github.accounts['tok-owner'] = { login: 'ProjectOwner', organizations: [] };
    now = 5.1 * MINUTE;
    expect(await identity.identify('tok-owner')).toMatchObject({ organizations: [] });
    expect(github.calls).toHaveLength(4);
  });

  it('remembers a token no longer than it is good for', async () => {
    const github = await startGithub({ t: { login: 'Ann', expires: '2030-01-01 00:00:00 UTC' } });
    let now = Date.parse('2029-12-31T23:59:00Z');
    const identity = githubIdentity({ url: github.url, now: () => now });
    await identity.identify('t');
    delete github.accounts.t;
    now = Date.parse('2029-12-31T23:59:59Z');
    expect(await identity.identify('t')).toMatchObject({ id: 'Ann' });
    now = Date.parse('2030-01-01T00:00:00Z');
    await expect(identity.identify('t')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('does without organisations that GitHub does not tell', async () => {
    const { url } = await startGithub();
    expect(await githubIdentity({ url }).identify('tok-noorgscope')).toEqual({
      id: 'NoOrgScope',
      organizations: [],
      admin: false,
    });
  });

  it('soon asks again for organisations that GitHub has failed to tell', async () => {
    const github = await startGithub({ t: { login: 'Ann', organizations: 502 } });
    let now = 0;
    const identity = githubIdentity({ url: github.url, now: () => now });
    expect(await identity.identify('t')).toMatchObject({ organizations: [] });
    github.accounts.t = { login: 'Ann', organizations: ['a'] };
    now = MINUTE / 4;
    expect(await identity.identify('t')).toMatchObject({ organizations: [] });
    now = MINUTE;
    expect(await identity.identify('t')).toMatchObject({ organizations: ['a'] });
  });

  it('does not tell GitHub the token that a registry has made', async () => {
    const github = await startGithub();
    const { token } = createToken('alice');
    expect(await githubIdentity({ url: github.url }).identify(token)).toBeUndefined();
    expect(github.calls).toEqual([]);
  });

  it('does not remember that something went wrong', async () => {
    const github = await startGithub();
    const identity = githubIdentity({ url: github.url });
    github.instead = { status: 502, body: 'oops' };
    await expect(identity.identify('tok-owner')).rejects.toMatchObject({ code: 'unauthorized' });
    github.instead = undefined;
    expect(await identity.identify('tok-owner')).toMatchObject({ id: 'ProjectOwner' });
  });

  it.each([
    ['an unknown token', { status: 401, body: '{"message":"Bad credentials"}' }, /Bad credentials\.$/],
    ['a failure', { status: 500, body: '{"message":"Server Error"}' }, /Server Error\.$/],
    ['a page instead of JSON', { status: 200, body: '<html>' }, /Failed to query GitHub for user identity: .+/],
    ['JSON of another form', { status: 200, body: '{"login":7}' }, /not of the form/],
    ['a redirect', { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } }, /Failed to query GitHub/],
    ['a body without an end', { status: 200, body: `"${'x'.repeat(2_000_000)}"` }, /does not end/],
    ['silence', 'silence', /Failed to query GitHub/],
  ] as const)('says what GitHub said: %s', async (_, instead, message) => {
    const github = await startGithub();
    github.instead = instead;
    const identity = githubIdentity({ url: github.url, patience: 200 });
    const error = await identity.identify('tok-owner').catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'unauthorized', message: expect.stringMatching(message) });
    expect(String(error)).not.toContain('tok-owner');
  });

  it('sends a token nowhere else', async () => {
    const other = await startGithub();
    const github = await startGithub({ t: { login: 'Ann' } });
    const identity = githubIdentity({ url: github.url });
    github.instead = {
      status: 200,
      body: '[]',
      headers: { link: `<${other.url}/user/orgs?page=2>; rel="next"` },
    };
    await identity.identify('t').catch(() => {});
    github.instead = { status: 200, body: '{"login":"Ann"}' };
    await identity.identify('t');
    expect(other.calls).toEqual([]);
  });

  it('says when GitHub cannot be reached', async () => {
    const identity = githubIdentity({ url: 'http://127.0.0.1:9' });
    await expect(identity.identify('t')).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/ECONNREFUSED|bad port/),
    });
  });
});

it('makes administrators by name, to the letter', async () => {
  const { url } = await startGithub();
  const identity = withAdmins(githubIdentity({ url }), ['LTLA', 'projectowner']);
  expect(await identity.identify('tok-admin')).toMatchObject({ admin: true });
  expect(await identity.identify('tok-owner')).toMatchObject({ admin: false });
});
