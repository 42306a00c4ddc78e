import { request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { listen } from '../../src/server/index.ts';

it('lets a request that is being answered end, and takes no more', async () => {
  let goOn = () => {};
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const waiting = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const listener = await listen(async () => {
    arrive();
    await waiting;
    return new Response('whole');
  });
  const answer = request(listener.url);
  await arrived;
  const closed = listener.close();
  goOn();
  expect(await (await answer).body.text()).toBe('whole');
  await closed;
  await expect(request(listener.url)).rejects.toThrow(/ECONNREFUSED/);
});

it('drops a request that does not end in time', async () => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const listener = await listen(
    () => {
      arrive();
      return new Promise<Response>(() => {});
    },
    { grace: 10 },
  );
  const answer = request(listener.url).catch((error: unknown) => error);
  await arrived;
  await listener.close();
  expect(await answer).toBeInstanceOf(Error);
});

it('says when another process has the port', async () => {
  const listener = await listen(async () => new Response());
  onTestFinished(() => listener.close());
  await expect(listen(async () => new Response(), { port: listener.port })).rejects.toMatchObject({
    code: 'in-use',
  });
});

it.each(['192.0.2.1', '999.1.1.1'])('says that this machine does not have the address %s', async (host) => {
  await expect(listen(async () => new Response(''), { host })).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringContaining(host),
  });
});

it('ends the connection when there is no answer', async () => {
  const listener = await listen(async () => {
    throw new Error('broken');
  });
  onTestFinished(() => listener.close());
  await expect(request(listener.url)).rejects.toThrow();
});

it('adds no content type', async () => {
  const listener = await listen(
    async () => new Response(new Uint8Array([1, 2]), { headers: { 'content-length': '2' } }),
  );
  onTestFinished(() => listener.close());
  const answer = await request(listener.url);
  await answer.body.dump();
  expect([answer.headers['content-type'], answer.headers['content-length']]).toEqual([undefined, '2']);
});

it('stops reading content that nobody takes', async () => {
  let cancelled = () => {};
  const stopped = new Promise<void>((resolve) => {
    cancelled = resolve;
  });
  const listener = await listen(
    async () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => cancelled(),
        }),
      ),
  );
  onTestFinished(() => listener.close());
  const answer = await request(listener.url);
  answer.body.destroy();
  answer.body.on('error', () => {});
  await stopped;
});
