import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type LogFormat, type Operation, openOperationLog } from '../../src/index.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

const OPERATIONS: readonly [Operation, string?][] = [
  [{ op: 'create', path: 'a b', size: 1, mtime: 0 }, 'd1'],
  [{ op: 'move', type: 'file', from: 'b', path: '..gypsum-1', parks: true }],
  [{ op: 'move', type: 'file', from: '..gypsum-1', of: 'b', path: 'c\n', size: 2, digest: 'd2' }, 'd2'],
  [{ op: 'move', type: 'directory', from: 'o', path: 'n', children: ['x', 'x/caf\udce9'] }],
  [{ op: 'copy', from: 'a', path: 'e', size: 1, mtime: 0, digest: 'd1' }, 'd1'],
  [{ op: 'delete', type: 'file', path: 'gone' }],
];

async function log(format: LogFormat): Promise<string[]> {
  const file = join(await tempFolder(), 'log');
  const opened = openOperationLog(file, format, () => NOW);
  // Nothing is there before there is something to say.
  expect(existsSync(file)).toBe(false);
  for (const [operation, digest] of OPERATIONS) opened.add(operation, digest);
  opened.fail({ path: 'f', message: 'EACCES: no', code: 'EACCES', hint: 'Ask.', op: 'create' });
  opened.note({ op: 'recovered', path: 'f' });
  opened.close();
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

it('a log has a line for each entry, with odd characters escaped', async () => {
  const time = NOW.toISOString();
  expect(await log('text')).toEqual([
    `[INFO|${time}]: create d1 -> a b`,
    `[INFO|${time}]: move d2 -> c\\x0a`,
    `[INFO|${time}]: move - -> n`,
    `[INFO|${time}]: move - -> n/x`,
    `[INFO|${time}]: move - -> n/x/caf\\xe9`,
    `[INFO|${time}]: copy d1 -> e`,
    `[INFO|${time}]: delete - -> gone`,
    `[ERROR|${time}]: failed - -> f (EACCES: no)`,
    `[INFO|${time}]: recovered - -> f`,
  ]);
});

it('a log of JSON has all of it, and no byte is lost', async () => {
  const info = { time: NOW.toISOString(), level: 'INFO' };
  expect((await log('json')).map((line) => JSON.parse(line))).toEqual([
    { ...info, op: 'create', path: 'a b', size: 1, digest: 'd1' },
    { ...info, op: 'move', path: 'c\n', from: 'b', size: 2, digest: 'd2' },
    { ...info, op: 'move', path: 'n', from: 'o' },
    { ...info, op: 'move', path: 'n/x', from: 'o/x' },
    { ...info, op: 'move', path: 'n/x/caf\udce9', from: 'o/x/caf\udce9' },
    { ...info, op: 'copy', path: 'e', from: 'a', size: 1, digest: 'd1' },
    { ...info, op: 'delete', path: 'gone' },
    {
      ...{ ...info, level: 'ERROR', op: 'failed', path: 'f', tried: 'create' },
      ...{ message: 'EACCES: no', code: 'EACCES', hint: 'Ask.' },
    },
    { ...info, op: 'recovered', path: 'f' },
  ]);
});

it('a log is written to where it ends, and may be moved away between runs', async () => {
  const file = join(await tempFolder(), 'log');
  const opened = openOperationLog(file);
  const say = () => {
    opened.add({ op: 'rmdir', path: 'd' });
    opened.close();
  };
  say();
  say();
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  renameSync(file, `${file}.1`);
  say();
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(2);
});

it('a log is no folder, and none that is not there is made for it', async () => {
  const folder = await tempFolder();
  mkdirSync(join(folder, 'd'));
  for (const path of ['d', 'none/log']) {
    expect(() => openOperationLog(join(folder, path))).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  }
});
