import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import type { ContextOptions, GypsumEvent } from '../../src/index.ts';
import { startCli } from '../helpers/cli.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const SIZE = 300_000;
const CONTENT = randomBytes(SIZE);
const V1 = { project: 'p', asset: 'a', version: 'v1' };
const KEY = 'p/a/v1/big';

/** What was asked for and sent of the big file: `Range`, status, `Content-Length`. */
type Exchanged = [range: string | null, status: number, sent: number];

async function setUp() {
  const rig = await createRig({ versions: { 'p/a/v1': { big: CONTENT } } });
  const exchanged: Exchanged[] = [];
  const spy: Fault = async (request, next) => {
    const answer = await next();
    exchanged.push([request.headers.get('range'), answer.status, Number(answer.headers.get('content-length'))]);
    return answer;
  };
  const incoming = join(rig.cacheDir, '.gypsum-client/1/incoming');
  const inject = (fault: Fault, times = 1) => rig.registry.inject(fault, { key: KEY, times });
  rig.registry.inject(spy, { key: KEY });
  return {
    ...rig,
    exchanged,
    inject,
    leftovers: () => (existsSync(incoming) ? readdirSync(incoming).map((name) => join(incoming, name)) : []),
    saved: () => readFileSync(join(rig.cacheDir, 'bucket/p/a/v1/big')).equals(CONTENT),
    /** Saves without success, of which so much is left. */
    async breakOff(after: number, options: Partial<ContextOptions> = {}) {
      inject(breakingOff(rig, after));
      const client = rig.connect({ retries: 0, ...options });
      await expect(client.saveVersion(V1)).rejects.toMatchObject({ code: 'unavailable' });
      exchanged.length = 0;
    },
  };
}

/** Sends the beginning of what is asked for, and breaks off when somebody has written that down, or never. */
function breakingOff(rig: Rig, after: number, ends = true): Fault {
  const incoming = join(rig.cacheDir, '.gypsum-client/1/incoming');
  const isThere = (size: number) =>
    readdirSync(incoming).some(
      (name) => (statSync(join(incoming, name), { throwIfNoEntry: false })?.size ?? 0) >= size,
    );
  return async (request, next) => {
    const answer = await next();
    const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get('range') ?? '')?.[1] ?? 0);
    const sent = Buffer.from(await answer.arrayBuffer()).subarray(0, after);
    const body = new ReadableStream({
      async start(controller) {
        if (after > 0) controller.enqueue(sent);
        while (!request.signal.aborted && (!ends || !isThere(start + after))) await setTimeout(2);
        controller.error(new TypeError('the body breaks off'));
      },
    });
    return new Response(body, { status: answer.status, headers: answer.headers });
  };
}

function headers(changes: Record<string, string | undefined>): Fault {
  return async (_request, next) => {
    const answer = await next();
    const changed = new Headers(answer.headers);
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) changed.delete(name);
      else changed.set(name, value);
    }
    return new Response(answer.body, { status: answer.status, headers: changed });
  };
}

const rest = (from: number): Exchanged => [`bytes=${from}-`, 206, SIZE - from];
const WHOLE: Exchanged = [null, 200, SIZE];

const sumOf = (events: readonly GypsumEvent[]) =>
  events.reduce((sum, event) => sum + (event.type === 'progress' && event.task === 'fetch' ? event.bytes : 0), 0);

describe('a download that breaks off', () => {
  it.each([1, 4096, 65_535, 65_536, 65_537, 200_000, SIZE - 1])('after %i bytes goes on there', async (after) => {
    const rig = await setUp();
    rig.inject(breakingOff(rig, after));
    await rig.client.saveVersion(V1, rig.watch);
    expect(rig.exchanged).toEqual([WHOLE, rest(after)]);
    expect(rig.saved()).toBe(true);
    expect(rig.leftovers()).toEqual([]);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it('again and again goes on each time', async () => {
    const rig = await setUp();
    const lengths = [150_000, 70_000, 50_000];
    rig.inject((...call) => breakingOff(rig, lengths.shift() ?? SIZE)(...call), 3);
    await rig.client.saveVersion(V1, rig.watch);
    expect(rig.exchanged).toEqual([WHOLE, rest(150_000), rest(220_000), rest(270_000)]);
    expect(rig.saved()).toBe(true);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it('before its first byte starts over', async () => {
    const rig = await setUp();
    rig.inject(async () => Response.error());
    await rig.client.saveVersion(V1);
    expect(rig.exchanged.map(([range]) => range)).toEqual([null, null]);
    expect(rig.saved()).toBe(true);
  });

  it('is gone on with by a later call, whose client asks first what the registry can do', async () => {
    const rig = await setUp();
    await rig.breakOff(100_000);
    const [left, ...others] = rig.leftovers();
    expect(others).toEqual([]);
    expect(left).toMatch(/incoming\/partial\.[\da-f]{32}$/);
    expect(statSync(left ?? '').mode & 0o777).toBe(0o600);
    rig.registry.resetCalls();
    const { fetched } = await rig.connect().saveVersion(V1, rig.watch);
    expect(fetched).toEqual({ contents: 1, bytes: SIZE });
    expect(rig.registry.calls.map(({ path }) => path)).toEqual([
      expect.stringMatching(/^\/list\?prefix=/),
      expect.stringContaining('big'),
    ]);
    expect(rig.exchanged).toEqual([rest(100_000)]);
    expect(rig.saved()).toBe(true);
    expect(rig.leftovers()).toEqual([]);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it('is gone on with after a kill', async () => {
    const rig = await setUp();
    rig.inject(breakingOff(rig, 123_456, false));
    const save = startCli(['save', 'p/a/v1'], {
      GYPSUM_URL: rig.registry.url,
      GYPSUM_CACHE_DIR: rig.cacheDir,
    });
    await expect.poll(() => rig.leftovers().some((path) => statSync(path).size === 123_456)).toBe(true);
    save.child.kill('SIGKILL');
    await save.end();
    rig.exchanged.length = 0;
    await rig.client.saveVersion(V1);
    expect(rig.exchanged).toEqual([rest(123_456)]);
    expect(rig.saved()).toBe(true);
    expect(rig.leftovers()).toEqual([]);
  });

  it('is started over where the registry does not say that it can do otherwise', async () => {
    const rig = await setUp();
    const silent = headers({ 'gypsum-features': undefined });
    rig.registry.inject(silent);
    rig.inject(breakingOff(rig, 100_000));
    await rig.client.saveVersion(V1, rig.watch);
    expect(rig.exchanged).toEqual([WHOLE, WHOLE]);
    expect(rig.registry.count({ route: 'list' })).toBe(0);
    expect(rig.saved()).toBe(true);
    expect(sumOf(rig.events)).toBe(SIZE);
  });
});

describe.each([4, 0])('what is left, with %i retries,', (retries) => {
  it('and is another content is thrown away, and all asked for', async () => {
    const rig = await setUp();
    await rig.breakOff(100_000);
    const [left = ''] = rig.leftovers();
    const bytes = readFileSync(left);
    bytes.writeUInt8(bytes.readUInt8(50_000) ^ 1, 50_000);
    writeFileSync(left, bytes);
    await rig.connect({ retries }).saveVersion(V1, rig.watch);
    expect(rig.exchanged).toEqual([rest(100_000), WHOLE]);
    expect(rig.saved()).toBe(true);
    expect(rig.leftovers()).toEqual([]);
    expect(rig.events.filter(({ type }) => type === 'retry')).toHaveLength(1);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it.each<[string, Fault, number]>([
    ['has no such range', async () => new Response(null, { status: 416 }), 416],
    ['sends another part', headers({ 'content-range': `bytes 99999-${SIZE - 1}/${SIZE}` }), 206],
    ['sends a part of something longer', headers({ 'content-range': `bytes 100000-${SIZE - 1}/${SIZE + 1}` }), 206],
    ['does not say which part it sends', headers({ 'content-range': undefined }), 206],
  ])('is thrown away where the registry %s', async (_what, fault, status) => {
    const rig = await setUp();
    await rig.breakOff(100_000);
    rig.inject(fault);
    await rig.connect({ retries }).saveVersion(V1, rig.watch);
    expect(rig.exchanged.map(([range, answered]) => [range, answered])).toEqual([
      ['bytes=100000-', status],
      [null, 200],
    ]);
    expect(rig.saved()).toBe(true);
    expect(rig.leftovers()).toEqual([]);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it('is written over where the whole comes', async () => {
    const rig = await setUp();
    await rig.breakOff(100_000);
    rig.inject((request) => rig.registry.fetch(new Request(request.url)));
    await rig.connect({ retries }).saveVersion(V1, rig.watch);
    expect(rig.saved()).toBe(true);
    expect(rig.events.filter(({ type }) => type === 'retry')).toEqual([]);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it('and is all there is not asked for', async () => {
    const rig = await setUp();
    await rig.breakOff(SIZE - 1);
    const [left = ''] = rig.leftovers();
    writeFileSync(left, CONTENT);
    await rig.connect({ retries }).saveVersion(V1, rig.watch);
    expect(rig.exchanged).toEqual([]);
    expect(rig.saved()).toBe(true);
    expect(rig.leftovers()).toEqual([]);
    expect(sumOf(rig.events)).toBe(SIZE);
  });

  it('and is as long as all, but wrong, is thrown away', async () => {
    const rig = await setUp();
    await rig.breakOff(SIZE - 1);
    const [left = ''] = rig.leftovers();
    writeFileSync(left, Buffer.alloc(SIZE));
    await rig.connect({ retries }).saveVersion(V1, rig.watch);
    expect(rig.exchanged).toEqual([WHOLE]);
    expect(rig.saved()).toBe(true);
    expect(sumOf(rig.events)).toBe(SIZE);
  });
});

it('what the registry has is asked with the tag of the content that is wanted', async () => {
  const rig = await setUp();
  await rig.breakOff(100_000);
  const tags: (string | null)[] = [];
  rig.inject((request, next) => {
    tags.push(request.headers.get('if-range'));
    return next();
  });
  await rig.client.saveVersion(V1);
  const { big } = await rig.client.fetchManifest(V1);
  expect(tags).toEqual([`"${big?.md5sum}"`]);
});

it('a call that is given up leaves what came', async () => {
  const rig = await setUp();
  rig.inject(breakingOff(rig, 100_000, false));
  const stop = new AbortController();
  const reason = new Error('enough');
  const saving = rig.client.saveVersion(V1, { signal: stop.signal });
  await expect.poll(() => rig.leftovers().some((path) => statSync(path).size === 100_000)).toBe(true);
  stop.abort(reason);
  await expect(saving).rejects.toBe(reason);
  rig.exchanged.length = 0;
  await rig.client.saveVersion(V1);
  expect(rig.exchanged).toEqual([rest(100_000)]);
  expect(rig.saved()).toBe(true);
});
