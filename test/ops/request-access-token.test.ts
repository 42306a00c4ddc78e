import { describe, expect, it } from 'vitest';
import type { DeviceCode } from '../../src/index.ts';
import { type Answer, json, serve } from '../helpers/loopback.ts';
import { createRig } from '../helpers/rig.ts';

const CODE = {
  device_code: 'the-device-code',
  user_code: 'ABCD-1234',
  verification_uri: 'https://github.test/login/device',
  expires_in: 900,
  interval: 0.01,
};
const pending = json({ error: 'authorization_pending' });
const given = json({ access_token: 'gho_token', token_type: 'bearer', scope: 'read:org' });

/** GitHub, which answers the questions for the token one after the other, and the last answer again and again. */
async function open(answers: readonly Answer[], code: unknown = CODE) {
  const { registry, connect } = await createRig();
  registry.inject(async () => Response.json({ id: 'the-app', secret: 'unused' }), { route: 'githubCredentials' });
  let asked = 0;
  const github = await serve((response, attempt, request) => {
    const isCode = request.url === '/login/device/code';
    const answer = isCode ? json(code) : answers[Math.min(asked++, answers.length - 1)];
    answer?.(response, attempt, request);
  });
  const codes: DeviceCode[] = [];
  const client = connect({ token: undefined });
  const login = (signal?: AbortSignal) =>
    client.requestAccessToken({ githubSite: `${github.url}/`, onCode: (one) => void codes.push(one), signal });
  return { registry, github, codes, login };
}

describe('logging in at GitHub by a code', () => {
  it('tells the user what to do, asks until it is done, and gives the token', async () => {
    const { github, codes, login, registry } = await open([pending, pending, given]);
    expect(await login()).toBe('gho_token');
    expect(codes).toEqual([{ userCode: 'ABCD-1234', page: CODE.verification_uri, expires: expect.any(Date) }]);
    const grant = 'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code';
    const question = `client_id=the-app&device_code=the-device-code&${grant}`;
    expect(github.requests.map(({ method, url, body }) => `${method} ${url} ${body}`)).toEqual([
      'POST /login/device/code client_id=the-app&scope=read%3Aorg',
      ...Array(3).fill(`POST /login/oauth/access_token ${question}`),
    ]);
    for (const { headers } of github.requests) {
      expect(headers).toMatchObject({
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        'user-agent': expect.stringMatching(/^gypsum-client\//),
      });
      expect(headers.authorization).toBeUndefined();
    }
    expect(registry.calls.map(({ route }) => route)).toEqual(['githubCredentials']);
  });

  it('slows down when it is told to', async () => {
    const { github, login } = await open([json({ error: 'slow_down', interval: 3600 }), given]);
    const stop = new AbortController();
    const asking = login(stop.signal);
    await expect.poll(() => github.requests.length).toBe(2);
    // At the pace of before, it would ask again by then.
    await new Promise((resolve) => setTimeout(resolve, 100));
    stop.abort('enough');
    await expect(asking).rejects.toBe('enough');
    expect(github.requests).toHaveLength(2);
  });

  it.each([
    ['the code was not entered in time', { error: 'expired_token' }, 'unauthorized', /in time/],
    ['the user did not want to', { error: 'access_denied' }, 'unauthorized', /refused/],
    [
      'the application may not',
      { error: 'device_flow_disabled', error_description: 'Off.\u001b[2J' },
      'refused',
      /Off/,
    ],
  ])('ends where %s', async (_why, answer, code, message) => {
    const { github, login } = await open([pending, json(answer)]);
    const failure: unknown = await login().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(String(failure)).not.toContain('\u001b');
    expect(github.requests).toHaveLength(3);
  });

  it('ends when the code is over, also if nobody says so', async () => {
    const { login } = await open([pending], { ...CODE, expires_in: 0.1 });
    await expect(login()).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('ends with the signal', async () => {
    const stop = new AbortController();
    const { github, login } = await open([pending], { ...CODE, interval: 3600 });
    const asking = login(stop.signal);
    await expect.poll(() => github.requests.length).toBe(1);
    stop.abort('enough');
    await expect(asking).rejects.toBe('enough');
    expect(github.requests).toHaveLength(1);
  });

  it('is not to be had at a registry without an application', async () => {
    const { registry, github, login } = await open([given]);
    registry.clearFaults();
    await expect(login()).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringMatching(/has no application at GitHub/),
      hint: expect.stringMatching(/Ask the people who run it for a token, then "gypsum login"/),
    });
    expect(github.requests).toEqual([]);
  });

  it.each<[string, Answer]>([
    ['a form', (response) => response.end('access_token=gho_secret&token_type=bearer')],
    ['what no token is', json({ access_token: 'gho_secret and more' })],
    ['nothing', json({})],
  ])('quotes nothing of an answer that is %s', async (_what, answer) => {
    const { login } = await open([answer]);
    const failure: unknown = await login().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'invalid-response' });
    expect(String(failure) + JSON.stringify(failure)).not.toContain('gho_secret');
  });

  it('shows no page that is none', async () => {
    const { codes, login } = await open([given], { ...CODE, verification_uri: 'javascript:alert(1)' });
    await expect(login()).rejects.toMatchObject({ code: 'invalid-response' });
    expect(codes).toEqual([]);
  });
});
