import { Agent, request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  bytes,
  cutOff,
  delay,
  disconnected,
  type Fault,
  flipped,
  type MockRegistry,
  startMockRegistry,
  status,
  wrongLength,
} from '../../mocks/index.ts';

const CONTENT = 'hello, world';

async function start(): Promise<{ mock: MockRegistry; get(): ReturnType<typeof request> }> {
  const mock = await startMockRegistry({ seed: { versions: { 'p/a/v': { 'x.txt': CONTENT } } } });
  const dispatcher = new Agent();
  onTestFinished(async () => {
    await dispatcher.destroy();
    await mock.close();
  });
  return { mock, get: () => request(`${mock.url}/file/p%2Fa%2Fv%2Fx.txt`, { dispatcher }) };
}

/** Reads a body as far as it comes. */
async function readBody(body: AsyncIterable<Uint8Array>): Promise<{ text: string; failed: boolean }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk);
  } catch {
    return { text: Buffer.concat(chunks).toString(), failed: true };
  }
  return { text: Buffer.concat(chunks).toString(), failed: false };
}

describe('over a socket', () => {
  it.each<[string, Fault, { status: number; length: string | undefined; text: string; failed: boolean }]>([
    ['no fault', (_, next) => next(), { status: 200, length: '12', text: CONTENT, failed: false }],
    ['a delay', delay(20), { status: 200, length: '12', text: CONTENT, failed: false }],
    ['a body that breaks off half-way', cutOff('half'), { status: 200, length: '12', text: 'hello,', failed: true }],
    ['a body that breaks off after a byte', cutOff(1), { status: 200, length: '12', text: 'h', failed: true }],
    ['a body that never begins', cutOff(0), { status: 200, length: '12', text: '', failed: true }],
    ['a body that lacks its end', cutOff(100), { status: 200, length: '12', text: 'hello, worl', failed: true }],
    ['other bytes', bytes('HOOT'), { status: 200, length: '4', text: 'HOOT', failed: false }],
    ['a flipped bit', flipped(), { status: 200, length: '12', text: 'iello, world', failed: false }],
    ['too long a length', wrongLength(3), { status: 200, length: '15', text: CONTENT, failed: true }],
    ['too short a length', wrongLength(-3), { status: 200, length: '9', text: 'hello, wo', failed: false }],
  ])('shows %s', async (_, fault, expected) => {
    const { mock, get } = await start();
    mock.inject(fault, { route: 'file' });
    const answer = await get();
    const { text, failed } = await readBody(answer.body);
    expect({ status: answer.statusCode, length: answer.headers['content-length'], text, failed }).toEqual(expected);
    mock.clearFaults();
    expect(await (await get()).body.text()).toBe(CONTENT);
  });

  it('shows a status with headers', async () => {
    const { mock, get } = await start();
    mock.inject(status(503, { 'retry-after': '7' }));
    const answer = await get();
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '7']);
    expect(await answer.body.json()).toMatchObject({ status: 'error' });
  });

  it('shows a connection that is dropped', async () => {
    const { mock, get } = await start();
    mock.inject(disconnected(), { times: 1 });
    await expect(get()).rejects.toThrow();
    expect((await get()).statusCode).toBe(200);
  });
});

it('meets only the calls that it is for, and only so often', async () => {
  const { mock, get } = await start();
  mock.inject(status(503), { route: 'file', key: /x\.txt$/, times: 2 });
  mock.inject(status(500), { route: 'list' });
  const statuses = [];
  for (let i = 0; i < 3; i++) {
    const answer = await get();
    await answer.body.dump();
    statuses.push(answer.statusCode);
  }
  expect(statuses).toEqual([503, 503, 200]);
});

it('puts faults in front of each other', async () => {
  const { mock, get } = await start();
  mock.inject(cutOff('half'));
  mock.inject(bytes('HOOT'));
  expect(await readBody((await get()).body)).toEqual({ text: 'HO', failed: true });
});
