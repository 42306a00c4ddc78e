import { appendFile, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isWhole } from '../../src/state/upload-record.ts';
import { createUploadStore } from '../../src/state/upload-store.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const REGISTRY = 'http://127.0.0.1:1';
const SESSION = {
  token: 'secret',
  completeUrl: '/upload/complete/p/a/v1',
  abortUrl: '/upload/abort/p/a/v1',
  files: [
    { path: 'x', size: 1, md5sum: '9dd4e461268c8034f5c8564e155c67a6', url: '/x', source: '/folder/caf\udce9/x' },
    { path: 'ünï/y', size: 0, md5sum: 'd41d8cd98f00b204e9800998ecf8427e', url: '/y' },
  ],
  linked: { files: 2, bytes: 3 },
};

async function openStore() {
  const folder = join(await tempFolder(), 'state');
  const store = createUploadStore(folder);
  const fileOf = (id: string) => join(folder, 'uploads', `${id}.jsonl`);
  return { folder, store, fileOf };
}

describe('what is written down of an upload', () => {
  it('is what it was, and is for the user alone', async () => {
    const { folder, store, fileOf } = await openStore();
    const id = await store.announce(REGISTRY, V1);
    expect(await store.read(id)).toMatchObject({ ...V1, id, registry: REGISTRY, sent: new Set() });
    expect((await store.read(id))?.session).toBeUndefined();
    await store.keep(id, SESSION);
    const sent = await store.openSent(id);
    sent?.add('ünï/y');
    await sent?.close();
    const record = await store.read(id);
    expect(record).toMatchObject({ session: SESSION, sent: new Set(['ünï/y']), claims: [{ pid: process.pid }] });
    expect(record?.session && isWhole(record.session)).toBe(true);
    expect(Math.abs(Date.now() - Number(record?.since))).toBeLessThan(60_000);
    expect((await stat(fileOf(id))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'uploads'))).mode & 0o777).toBe(0o700);
    await store.forget(id);
    await store.forget(id);
    expect(await store.read(id)).toBeUndefined();
    expect(await store.openSent(id)).toBeUndefined();
    expect(await store.claim(id)).toBeUndefined();
    await store.leave(id, id);
    expect(await readdir(join(folder, 'uploads'))).toEqual([]);
  });

  it('says who is at it: whoever came and has not gone', async () => {
    const { store } = await openStore();
    const id = await store.announce(REGISTRY, V1);
    const claim = (await store.claim(id)) ?? '';
    expect((await store.read(id))?.claims.map((one) => one.claim)).toEqual([id, claim]);
    await store.leave(id, id);
    expect((await store.read(id))?.claims.map((one) => one.claim)).toEqual([claim]);
    await store.leave(id, claim);
    expect((await store.read(id))?.claims).toEqual([]);
  });

  it('is not believed of a session that was cut off at any byte of it; behind that, it can be aborted', async () => {
    const { store, fileOf } = await openStore();
    const id = await store.announce(REGISTRY, V1);
    const { size: before } = await stat(fileOf(id));
    await store.keep(id, SESSION);
    const { size: after } = await stat(fileOf(id));
    const line = (await readFile(fileOf(id))).indexOf('\n', before + 1);
    // The last byte is a line end, without which the line is whole all the same.
    for (let size = after - 2; size >= before; size -= 7) {
      await truncate(fileOf(id), size);
      const session = (await store.read(id))?.session;
      if (size < line) expect(session).toBeUndefined();
      else {
        expect(session).toMatchObject({ token: 'secret', abortUrl: SESSION.abortUrl, total: { files: 2, bytes: 1 } });
        expect(session && isWhole(session)).toBe(false);
      }
    }
  });

  it('goes on behind half a line', async () => {
    const { store, fileOf } = await openStore();
    const id = await store.announce(REGISTRY, V1);
    await store.keep(id, SESSION);
    await appendFile(fileOf(id), '{"sent":"ünï');
    expect(await store.read(id)).toMatchObject({ session: SESSION, sent: new Set() });
    const claim = await store.claim(id);
    const sent = await store.openSent(id);
    sent?.add('x');
    await sent?.close();
    const record = await store.read(id);
    expect(record?.claims.map((one) => one.claim)).toEqual([id, claim]);
    expect(record).toMatchObject({ session: SESSION, sent: new Set(['x']) });
  });

  it('holds more files than are written at once', async () => {
    const { store } = await openStore();
    const id = await store.announce(REGISTRY, V1);
    const [file] = SESSION.files;
    const files = Array.from({ length: 2500 }, (_, at) => ({ ...file, path: `f${at}`, size: at, md5sum: '', url: '' }));
    await store.keep(id, { ...SESSION, files });
    expect((await store.read(id))?.session?.files).toEqual(files);
  });
});

describe('the list', () => {
  it('is empty where nothing was ever written', async () => {
    const { store } = await openStore();
    expect(await store.list()).toEqual({ records: [], damaged: [] });
  });

  it('names what is damaged, and gives all else', async () => {
    const { folder, store, fileOf } = await openStore();
    const id = await store.announce(REGISTRY, V1);
    const later = await store.announce(REGISTRY, { ...V1, version: 'v2' });
    const name = (digit: number) => `${digit}`.repeat(36);
    const begin = { registry: REGISTRY, ...V1, since: '2026-01-01T00:00:00.000Z' };
    await writeFile(fileOf(name(0)), '');
    await writeFile(fileOf(name(1)), Buffer.alloc(4096));
    await writeFile(fileOf(name(2)), 'not JSON\n');
    await writeFile(fileOf(name(3)), JSON.stringify({ format: 2, ...begin }));
    await writeFile(fileOf(name(4)), JSON.stringify({ format: 1, ...begin, version: '../../x' }));
    await mkdir(fileOf(name(5)));
    await writeFile(join(folder, 'uploads/.DS_Store'), 'not ours');
    const { records, damaged } = await store.list();
    expect(records.map((record) => record.id)).toEqual([id, later]);
    expect(damaged.map(({ path }) => path).sort()).toEqual([0, 1, 2, 3, 4, 5].map((digit) => fileOf(name(digit))));
    expect(damaged.find(({ path }) => path === fileOf(name(5)))?.reason).toContain('EISDIR');
  });
});
