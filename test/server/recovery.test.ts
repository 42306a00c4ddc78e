import { cp } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { createRegistry, diskStorage, type Registry, type Storage } from '../../src/server/index.ts';
import { mortal } from './mortal.ts';
import { md5, namesAsTokens, type Started, temporaryFolder } from './rig.ts';

const secret = Buffer.alloc(32, 7);
const FILES = { 'x.txt': 'hello', 'dir/y.txt': 'world' };

const open = (storage: Storage) => createRegistry({ storage, identity: namesAsTokens, secret });

function send(registry: Registry, method: string, path: string, token: string, body?: unknown, headers = {}) {
  const content = typeof body === 'string' ? body : JSON.stringify(body);
  return registry.fetch(
    new Request(new URL(path, 'http://registry.test'), {
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: content }),
    }),
  );
}

async function ok<T>(answer: Response): Promise<T> {
  const content = await answer.text();
  if (answer.status !== 200) throw new Error(content);
  return (content === '' ? undefined : JSON.parse(content)) as T;
}

async function start(registry: Registry, version: string): Promise<Started> {
  const files = Object.entries(FILES).map(([path, content]) => ({
    type: 'simple',
    path,
    size: content.length,
    md5sum: md5(content),
  }));
  return ok(await send(registry, 'POST', `/upload/start/p/a/${version}`, 'owner', { files }));
}

async function sendFiles(registry: Registry, started: Started): Promise<void> {
  for (const { path, url } of started.file_urls) {
    const address = await ok<{ url: string; md5sum_base64: string }>(
      await send(registry, 'POST', url, started.session_token),
    );
    const content = FILES[path as keyof typeof FILES];
    const answer = await send(registry, 'PUT', address.url, '', content, { 'content-md5': address.md5sum_base64 });
    await ok(answer);
  }
}

/** A storage with `p/a/v0` published. */
async function prepared(): Promise<string> {
  const folder = await temporaryFolder();
  const registry = await open(await diskStorage(folder));
  await ok(await send(registry, 'POST', '/create/p', 'admin', { permissions: { owners: ['owner'] } }));
  const started = await start(registry, 'v0');
  await sendFiles(registry, started);
  await ok(await send(registry, 'POST', started.complete_url, started.session_token));
  return folder;
}

async function snapshot(storage: Storage): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  for await (const key of storage.list('', { recursive: true })) {
    const object = await storage.get(key);
    objects.set(key, object === undefined ? '' : await text(object.body));
  }
  return objects;
}

const document = (objects: Map<string, string>, key: string) => JSON.parse(objects.get(key) ?? 'null');

/** Runs some work on copies of a folder, killed at each of its changes in turn; looks at what a restart makes of it. */
async function killEverywhere(
  folder: string,
  work: (registry: Registry) => Promise<unknown>,
  look: (registry: Registry, storage: Storage) => Promise<void>,
): Promise<number> {
  for (let changes = 0; ; changes++) {
    const copy = await temporaryFolder();
    await cp(folder, copy, { recursive: true, preserveTimestamps: true });
    const dying = mortal(await diskStorage(copy), changes);
    const registry = await open(dying);
    await work(registry).catch(() => {});
    const storage = await diskStorage(copy);
    await look(await open(storage), storage);
    if (!dying.died) return changes;
  }
}

describe('after being killed', () => {
  it('in a start, a registry has nothing of it, or all', async () => {
    const kills = await killEverywhere(
      await prepared(),
      (registry) => start(registry, 'v1'),
      async (registry, storage) => {
        const objects = await snapshot(storage);
        expect(document(objects, 'p/a/..latest')).toEqual({ version: 'v0' });
        if (objects.has('p/..LOCK')) {
          expect(document(objects, 'p/a/v1/..summary')).toMatchObject({ upload_user_id: 'owner' });
          expect(objects.has('p/a/v1/..manifest')).toBe(true);
        } else {
          expect([...objects.keys()].filter((key) => key.startsWith('p/a/v1/'))).toEqual([]);
          await start(registry, 'v1');
        }
      },
    );
    expect(kills).toBeGreaterThan(2);
  });

  it('in a completion, a registry completes it, at once or when it is asked again', async () => {
    const folder = await prepared();
    const before = await open(await diskStorage(folder));
    const started = await start(before, 'v1');
    await sendFiles(before, started);
    const complete = (registry: Registry) => send(registry, 'POST', started.complete_url, started.session_token);
    const kills = await killEverywhere(folder, complete, async (registry, storage) => {
      if ((await storage.size('p/..LOCK')) !== undefined) await ok(await complete(registry));
      const objects = await snapshot(storage);
      expect(document(objects, 'p/..usage')).toEqual({ total: 20 });
      expect(document(objects, 'p/a/..latest')).toEqual({ version: 'v1' });
      expect(document(objects, 'p/a/v1/..summary')).toHaveProperty('upload_finish');
      expect(objects.has('p/..LOCK')).toBe(false);
      expect([...objects.keys()].filter((key) => key.startsWith('..logs/'))).toHaveLength(2);
    });
    expect(kills).toBeGreaterThanOrEqual(5);
  });

  it('in a completion, a registry can still abort what is not complete', async () => {
    const folder = await prepared();
    const before = await open(await diskStorage(folder));
    const started = await start(before, 'v1');
    await sendFiles(before, started);
    const complete = (registry: Registry) => send(registry, 'POST', started.complete_url, started.session_token);
    await killEverywhere(folder, complete, async (registry, storage) => {
      await send(registry, 'POST', started.abort_url, started.session_token);
      const objects = await snapshot(storage);
      const isComplete = objects.has('p/a/v1/..summary');
      expect(objects.has('p/..LOCK')).toBe(false);
      expect(document(objects, 'p/..usage')).toEqual({ total: isComplete ? 20 : 10 });
      expect(document(objects, 'p/a/..latest')).toEqual({ version: isComplete ? 'v1' : 'v0' });
    });
  });

  it('in an abort, a registry can abort again', async () => {
    const folder = await prepared();
    const before = await open(await diskStorage(folder));
    const started = await start(before, 'v1');
    await sendFiles(before, started);
    const abort = (registry: Registry) => send(registry, 'POST', started.abort_url, started.session_token);
    const clean = (objects: Map<string, string>) => [...objects.keys()].filter((key) => key.startsWith('p/a/v1/'));
    await killEverywhere(folder, abort, async (registry, storage) => {
      if ((await storage.size('p/..LOCK')) !== undefined) await ok(await abort(registry));
      const objects = await snapshot(storage);
      expect(clean(objects)).toEqual([]);
      expect(document(objects, 'p/..usage')).toEqual({ total: 10 });
      await start(registry, 'v1');
    });
  });

  it('in any of these, a registry has the finished version as it was', async () => {
    const folder = await prepared();
    const finished = new Map(
      [...(await snapshot(await diskStorage(folder)))].filter(([key]) => key.startsWith('p/a/v0/')),
    );
    await killEverywhere(
      folder,
      async (registry) => {
        const started = await start(registry, 'v1');
        await sendFiles(registry, started);
        await send(registry, 'POST', started.complete_url, started.session_token);
        await start(registry, 'v0');
      },
      async (_, storage) => {
        const objects = await snapshot(storage);
        expect(new Map([...objects].filter(([key]) => key.startsWith('p/a/v0/')))).toEqual(finished);
      },
    );
  });
});

it('takes nothing from a session whose secret is another one', async () => {
  const folder = await prepared();
  const storage = await diskStorage(folder);
  const started = await start(await open(storage), 'v1');
  const other = await createRegistry({ storage, identity: namesAsTokens, secret: Buffer.alloc(32, 8) });
  const answer = await send(other, 'POST', started.file_urls[0]?.url ?? '', started.session_token);
  expect(answer.status).toBe(403);
});

it('leaves a version alone that another upload finishes while its start is looked at', async () => {
  const folder = await prepared();
  const storage = await diskStorage(folder);
  const first = await open(storage);
  let looks = 0;
  const late = await open({
    ...storage,
    async size(key) {
      const size = await storage.size(key);
      if (key !== 'p/a/v1/..summary' || looks++ > 0) return size;
      const started = await start(first, 'v1');
      await sendFiles(first, started);
      await ok(await send(first, 'POST', started.complete_url, started.session_token));
      return size;
    },
  });
  await expect(start(late, 'v1')).rejects.toThrow(/exists already/);
  const objects = await snapshot(storage);
  expect(objects.get('p/a/v1/x.txt')).toBe('hello');
  expect(objects.has('p/..LOCK')).toBe(false);
});

it('does not abort what is complete, when only its lock was left', async () => {
  const folder = await prepared();
  const storage = await diskStorage(folder);
  let refusals = 1;
  const registry = await open({
    ...storage,
    async delete(key) {
      if (key === 'p/..LOCK' && refusals-- > 0) throw new Error('I/O error');
      await storage.delete(key);
    },
  });
  const started = await start(registry, 'v1');
  await sendFiles(registry, started);
  expect((await send(registry, 'POST', started.complete_url, started.session_token)).status).toBe(500);
  expect((await send(registry, 'POST', started.abort_url, started.session_token)).status).toBe(403);
  const objects = await snapshot(storage);
  expect(objects.get('p/a/v1/x.txt')).toBe('hello');
  expect(document(objects, 'p/..usage')).toEqual({ total: 20 });
  expect(objects.has('p/..LOCK')).toBe(false);
});
