import fs, { existsSync, readlinkSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { syncFolder } from '../../src/server/durable.ts';
import { diskStorage, type Storage } from '../../src/server/index.ts';
import { md5, temporaryFolder } from './rig.ts';

/** Tells what is made durable, by its path, and whether `target` is there by then; all of it still happens. */
async function watchSyncs(folder: string, target: string): Promise<string[]> {
  const seen: string[] = [];
  const note = (fd: number) => {
    const path = relative(folder, readlinkSync(`/proc/self/fd/${fd}`)).replace(/[\da-f-]{36}/, 'UUID');
    seen.push(`${path} ${existsSync(join(folder, target)) ? 'after' : 'before'}`);
  };
  const handle = await open(folder);
  const prototype: FileHandle = Object.getPrototypeOf(handle);
  await handle.close();
  const { sync } = prototype;
  const { fsync } = fs;
  const spies = [
    vi.spyOn(prototype, 'sync').mockImplementation(function (this: FileHandle) {
      note(this.fd);
      return sync.call(this);
    }),
    vi.spyOn(fs, 'fsync').mockImplementation((fd, done) => {
      note(fd);
      fsync(fd, done);
    }),
  ];
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
  });
  return seen;
}

const publish = (content: () => Readable | Uint8Array) => async (storage: Storage, key: string) => {
  const expected = { digest: { algorithm: 'md5' as const, hex: md5('hello') }, size: 5 };
  await (await storage.stage(content(), expected, 'it')).publish(key);
};

it.skipIf(process.platform !== 'linux').each([
  ['published', publish(() => Readable.from([Buffer.from('hello')]))],
  ['published whole', publish(() => Buffer.from('hello'))],
  ['put', (storage: Storage, key: string) => storage.put(key, 'hello')],
])('an object that is %s is on the disk, first itself and then each folder that names it', async (_, write) => {
  const folder = await temporaryFolder();
  const storage = await diskStorage(folder);
  const seen = await watchSyncs(folder, 'objects/p/a/f');
  await write(storage, 'p/a/f');
  expect(seen).toEqual(['incoming/UUID before', 'objects/p before', 'objects before', 'objects/p/a after']);
});

it.skipIf(process.platform !== 'linux')('an object that is deleted is gone from the disk', async () => {
  const folder = await temporaryFolder();
  const storage = await diskStorage(folder);
  await storage.put('p/a/f', 'hello');
  const seen = await watchSyncs(folder, 'objects/p/a/f');
  await storage.delete('p/a/f');
  expect(seen).toEqual(['objects/p/a before']);
});

it.skipIf(process.platform !== 'linux')(
  'what comes while a folder is synced waits for another sync, which all of it shares',
  async () => {
    const folder = await temporaryFolder();
    const seen = await watchSyncs(folder, 'none');
    const first = syncFolder(folder);
    await setImmediate();
    await Promise.all([first, syncFolder(folder), syncFolder(folder), syncFolder(folder)]);
    expect(seen).toEqual([' before', ' before']);
    await syncFolder(folder);
    expect(seen).toHaveLength(3);
    await expect(Promise.all([syncFolder(join(folder, 'none')), syncFolder(folder)])).rejects.toThrow('ENOENT');
    await expect(syncFolder(join(folder, 'none'))).rejects.toThrow('ENOENT');
  },
);
