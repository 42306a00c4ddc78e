import { createHash } from 'node:crypto';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createDirsyncLog, type DirsyncLog } from '../../src/cli/dirsync-log.ts';
import { openLocalRepository } from '../../src/index.ts';
import { deepFolder } from '../helpers/deep-folder.ts';
import { makePair } from '../helpers/replica.ts';

function openLog(root: string): { log: DirsyncLog; lines: string[] } {
  const replica = openLocalRepository(root);
  onTestFinished(() => replica.close());
  const lines: string[] = [];
  return { log: createDirsyncLog(replica, (line) => lines.push(line.slice(line.indexOf(']: ') + 3))), lines };
}

const blake2b = (content: string) => createHash('blake2b512').update(content).digest('hex');
const created = (path: string) => ({ op: 'create', path, size: 1, mtime: 0 }) as const;

it('a log of dirsync has the contents of files, however deep they lie', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('paths longer than the system takes are reached by Linux alone');
  const names = Array.from({ length: 2_500 }, () => 'd');
  const { root, inmost } = await deepFolder(names);
  writeFileSync(join(inmost, 'file'), 'deep');
  const { log, lines } = openLog(root);
  const path = [...names, 'file'].join('/');
  await log.add(created(path));
  await log.add({ op: 'delete', type: 'file', path });
  expect(lines).toEqual(['create', 'delete'].map((op) => `${op} ${blake2b('deep')} -> ${path}`));
});

it('a log of dirsync has no content of what lies outside of the replica', async () => {
  const { dst, outside } = await makePair({}, { a: 'x' });
  symlinkSync(outside, join(dst, 'd'));
  symlinkSync(join(outside, 'canary'), join(dst, 'l'));
  const { log, lines } = openLog(dst);
  for (const path of ['a', 'd/canary', 'l', 'none']) await log.add(created(path));
  expect(lines).toEqual([`create ${blake2b('x')} -> a`, 'create - -> d/canary', 'create - -> l', 'create - -> none']);
});

it('a log of dirsync has the words of dirsync, and the last content known of what goes', async () => {
  const { dst } = await makePair({}, { a: 'x', b: 'x', n: 'moved' });
  const { log, lines } = openLog(dst);
  const facts = { size: 1, mtime: 0 };
  await log.add({ op: 'modify', path: 'a', ...facts });
  await log.add({ op: 'copy', from: 'a', path: 'b', digest: 'd', ...facts });
  await log.add({ op: 'move', type: 'file', from: 'o', path: 'n' });
  await log.add({ op: 'chmod', type: 'file', path: 'a', mode: 0o600 });
  await log.add({ op: 'modify', path: 'a', ...facts }, undefined, 'restore');
  await log.add({ op: 'delete', type: 'file', path: 'b' }, undefined, 'prune');
  await log.add({ op: 'delete', type: 'file', path: 'never seen' });
  log.fail({ path: 'f\n', message: 'EACCES' });
  const [x, moved] = [blake2b('x'), blake2b('moved')];
  expect(lines).toEqual([
    ...[`modify ${x} -> a`, `copy ${x} -> b`, `move ${moved} -> n`, `chmod ${x} -> a`, `restore ${x} -> a`],
    ...[`prune ${x} -> b`, 'delete - -> never seen', 'failed - -> f\\x0a (EACCES)'],
  ]);
});
