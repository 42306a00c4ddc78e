import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type OwnedLock, takeLock } from '../src/owned-lock.ts';
import { isAlive, thisProcess } from '../src/process-owner.ts';
import { tempFolder } from './helpers/temp-folder.ts';

/** Takes a lock that must be free. */
async function take(path: string): Promise<Extract<OwnedLock, { isOurs: true }>> {
  const lock = await takeLock(path);
  if (!lock.isOurs) throw new Error('somebody else has it');
  return lock;
}

/** Gives the number of a process that was there. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}

it('is one process’s until it lets go of it, and says whose', async () => {
  const path = join(await tempFolder(), 'not/there/lock');
  const lock = await take(path);
  expect(await takeLock(path)).toMatchObject({
    isOurs: false,
    owner: { ...thisProcess(), since: expect.stringMatching(/^\d{4}-/) },
  });
  expect(lock.lost.aborted).toBe(false);
  await lock.release();
  expect(readdirSync(join(path, '..'))).toEqual([]);
  await (await take(path)).release();
});

it('is as many as there are paths in a folder', async () => {
  const folder = await tempFolder();
  const [one, other] = [await take(join(folder, 'one')), await take(join(folder, 'other'))];
  await one.release();
  expect(await takeLock(join(folder, 'other'))).toMatchObject({ isOurs: false });
  await other.release();
  expect(readdirSync(folder)).toEqual([]);
});

it('is given to one of many who want it at once, also where a killed process has left it', async () => {
  const path = join(await tempFolder(), 'lock');
  for (const left of ['nothing', 'all of it', 'whose it was'] as const) {
    if (left === 'all of it') mkdirSync(path);
    if (left !== 'nothing') {
      writeFileSync(`${path}.json`, JSON.stringify({ ...thisProcess(), pid: await endedProcess() }));
    }
    const locks = await Promise.all(Array.from({ length: 8 }, () => takeLock(path)));
    const ours = locks.filter((lock) => lock.isOurs);
    expect(ours).toHaveLength(1);
    for (const lock of locks) if (!lock.isOurs) expect(lock.owner && isAlive(lock.owner)).toBe(true);
    await ours[0]?.release();
  }
});

it('is kept by an owner who is there, however long it lies untouched', async () => {
  const path = join(await tempFolder(), 'lock');
  mkdirSync(path);
  writeFileSync(`${path}.json`, JSON.stringify(thisProcess()));
  await utimes(path, 0, 0);
  expect(await takeLock(path)).toMatchObject({ isOurs: false, owner: { pid: process.pid } });
});

it('is that of whoever touches it, where nobody knows who that is', async () => {
  const path = join(await tempFolder(), 'lock');
  mkdirSync(path);
  writeFileSync(`${path}.json`, JSON.stringify({ host: 'elsewhere', pid: 1 }));
  const timer = setInterval(() => void utimes(path, Math.random(), Date.now() / 1000), 20);
  try {
    expect(await takeLock(path)).toEqual({ isOurs: false, owner: { host: 'elsewhere', pid: 1 } });
    writeFileSync(`${path}.json`, 'half a doc');
    expect(await takeLock(path)).toEqual({ isOurs: false, owner: undefined });
  } finally {
    clearInterval(timer);
  }
});

it('is not waited for any longer than the signal says', async () => {
  const path = join(await tempFolder(), 'lock');
  const reason = new Error('enough');
  await expect(takeLock(path, AbortSignal.abort(reason))).rejects.toBe(reason);
  mkdirSync(path);
  const stop = new AbortController();
  const taking = takeLock(path, stop.signal);
  stop.abort(reason);
  await expect(taking).rejects.toBe(reason);
  expect(existsSync(path)).toBe(true);
});

it('says who has it from the moment it is taken', async () => {
  const path = join(await tempFolder(), 'lock');
  const lock = await take(path);
  expect(JSON.parse(readFileSync(`${path}.json`, 'utf8'))).toMatchObject(thisProcess());
  await lock.release();
});
