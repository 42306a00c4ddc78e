import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSmall } from '../../src/tree/read-small.ts';
import { deepFolder } from '../helpers/deep-folder.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

describe('a small file that is read at once', () => {
  it.each([
    ['as it was', 'content', 7, 'content'],
    ['empty', '', 0, ''],
    ['longer than it was: a byte more tells', 'content', 4, 'conte'],
    ['no longer empty', 'content', 0, 'c'],
    ['shorter than it was', 'content', 60_000, 'content'],
  ])('is %s', async (_, content, size, expected) => {
    const path = join(await tempFolder(), 'file');
    writeFileSync(path, content);
    expect(readSmall(path, size).toString()).toBe(expected);
  });

  it('is what a symlink leads to', async () => {
    const folder = await tempFolder();
    writeFileSync(join(folder, 'file'), 'content');
    symlinkSync('file', join(folder, 'link'));
    expect(readSmall(join(folder, 'link'), 7).toString()).toBe('content');
  });

  it('is not a folder, and not what is not there', async () => {
    const folder = await tempFolder();
    mkdirSync(join(folder, 'sub'));
    expect(() => readSmall(join(folder, 'sub'), 1)).toThrow('EISDIR');
    expect(() => readSmall(join(folder, 'none'), 1)).toThrow('ENOENT');
  });

  it.skipIf(process.platform === 'win32')('is not a pipe that nobody writes to: it is not waited for', async () => {
    const path = join(await tempFolder(), 'pipe');
    execFileSync('mkfifo', [path]);
    expect(readSmall(path, 5)).toHaveLength(0);
  });

  it.runIf(process.platform === 'linux')('may lie deeper than the kernel takes a path', async () => {
    const names = Array.from({ length: 25 }, (_, at) => `${at}`.padEnd(200, 'x'));
    const { root, inmost } = await deepFolder(names);
    writeFileSync(join(inmost, 'file'), 'content');
    expect(readSmall(join(root, ...names, 'file'), 7).toString()).toBe('content');
  });
});
