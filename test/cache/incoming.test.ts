import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import { abandonedIncoming } from '../../src/cache/incoming.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { ownedName } from '../../src/owned-name.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Looks some time later at what is lying there now. */
async function lay(...names: string[]) {
  const layout = createLayout(await tempFolder());
  mkdirSync(layout.incomings, { recursive: true });
  for (const name of names) writeFileSync(layout.incoming(name), 'half');
  return async (later: number) =>
    (await abandonedIncoming(layout, Date.now() + later)).map((path) => path.slice(layout.incomings.length + 1));
}

/** A name that a process of ours would have made that has ended. */
function nameOfTheDead(): string {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return ownedName().replace(/^\d+\.\d*/, `${pid}.`);
}

it('names differ, and say whose they are', () => {
  const [one, other] = [ownedName(), ownedName()];
  expect(one).not.toBe(other);
  expect(one.startsWith(`${process.pid}.`)).toBe(true);
  expect(one).not.toContain(hostname());
});

it('what a running process writes is nobody else’s, however long it takes', async () => {
  const look = await lay(ownedName());
  expect(await look(0)).toEqual([]);
  expect(await look(30 * DAY)).toEqual([]);
});

it('what a process left that has ended is abandoned after a minute', async () => {
  const dead = nameOfTheDead();
  const look = await lay(dead, ownedName());
  expect(await look(0)).toEqual([]);
  expect(await look(2 * MINUTE)).toEqual([dead]);
});

it.each([
  ['a process of another machine', () => nameOfTheDead().replace(/\.[\da-f]{8}\./, '.00000000.')],
  ['nobody knows whom', () => 'x'],
  ['a process that has ended, and may be gone on with', () => `${nameOfTheDead()}.${'0a'.repeat(16)}`],
  ['a download that broke off', () => `partial.${'0a'.repeat(16)}`],
])('what is left by %s is abandoned after a day', async (_whom, makeName) => {
  const name = makeName();
  const look = await lay(name);
  expect(await look(0.9 * DAY)).toEqual([]);
  expect(await look(1.1 * DAY)).toEqual([name]);
});

it('a later process with the same number is another one', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('this system does not tell when a process began');
  const name = ownedName().replace(/^(\d+)\.\d+/, '$1.1');
  expect(await (await lay(name))(2 * MINUTE)).toEqual([name]);
});
