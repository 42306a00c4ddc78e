import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Header } from 'tar/header';
import { describe, expect, it } from 'vitest';
import type { FileOf } from '../../src/tree/step.ts';
import { type TarEntry, writeTar } from '../../src/tree/write-tar.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const mtime = new Date('2020-01-31T12:00:00Z');
const hasTar = spawnSync('tar', ['--version']).status === 0;

function fileOf(folder: string, content: string, more: Partial<FileOf> = {}): FileOf {
  const hex = createHash('md5').update(content).digest('hex');
  const source = join(folder, hex);
  writeFileSync(source, content);
  return {
    type: 'file',
    mode: 'copy',
    source,
    size: Buffer.byteLength(content),
    digest: { algorithm: 'md5', hex },
    ...more,
  };
}

/** Names at and around every length at which a header ends, in one folder and below others. */
const LENGTHS = [1, 98, 99, 100, 101, 130, 131, 154, 155, 156, 157, 200, 254, 255, 256, 257, 300, 1000];
const NAMES = LENGTHS.flatMap((length) => [
  ...(length <= 255 ? ['n'.repeat(length)] : []),
  ...(length > 60 ? [`${'d'.repeat(49)}/`.repeat(Math.floor(length / 50)) + 'n'.repeat((length % 50) + 1)] : []),
]);

describe('a tar file', () => {
  it.skipIf(!hasTar)('is read by tar: names of any length and script, modes, times, and every content', async () => {
    const folder = await tempFolder();
    const contents = ['', 'x', 'y'.repeat(511), 'z'.repeat(512), 'w'.repeat(513), 'v'.repeat(3_000_000)];
    const odd = [
      'é',
      'line\nend',
      'tab\there',
      'back\\slash',
      ' leading',
      '日本/語'.normalize(),
      'é'.repeat(60),
      '-x',
      '"',
    ];
    const entries: TarEntry[] = [
      ...NAMES.map((path, at) => ({ path, after: fileOf(folder, `${contents[at % contents.length]}${at}`) })),
      ...odd.map((name) => ({ path: `odd/${name}`, after: fileOf(folder, name) })),
      ...contents.map((content, at) => ({ path: `contents/${at}`, after: fileOf(folder, content) })),
      { path: 'run', after: fileOf(folder, '#!', { permissions: 0o755 }) },
      { path: 'empty', after: { type: 'directory' } },
      { path: `${'deep/'.repeat(40)}empty`, after: { type: 'directory' } },
    ];
    const file = join(folder, 'x.tar');
    await writeTar(file, entries, { mtime });
    expect(statSync(file).size % 512).toBe(0);
    const out = join(folder, 'out');
    mkdirSync(out);
    const { status, stderr } = spawnSync('tar', ['-xpf', file, '-C', out], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const { path, after } of entries) {
      const stats = statSync(join(out, path));
      expect(stats.mtime, path).toEqual(mtime);
      expect(stats.isDirectory(), path).toBe(after.type === 'directory');
      if (after.type === 'file')
        expect(readFileSync(join(out, path)).equals(readFileSync(after.source)), path).toBe(true);
    }
    expect(statSync(join(out, 'run')).mode & 0o777).toBe(0o755);
    expect(statSync(join(out, 'n')).mode & 0o777).toBe(0o644);
    expect(readdirSync(join(out, 'empty'))).toEqual([]);
    const owners = execFileSync('tar', ['-tvf', file], { encoding: 'utf8' }).trimEnd().split('\n');
    expect(owners.filter((line) => !/^\S+ 0\/0 /.test(line))).toEqual([]);
  });

  it('has the same bytes for the same entries', async () => {
    const folder = await tempFolder();
    const entries: TarEntry[] = [{ path: 'é', after: fileOf(folder, 'x') }];
    await writeTar(join(folder, '1.tar'), entries, { mtime });
    await writeTar(join(folder, '2.tar'), entries, { mtime });
    expect(readFileSync(join(folder, '1.tar')).equals(readFileSync(join(folder, '2.tar')))).toBe(true);
  });

  it('says of a file beyond 8 GiB how large it is', async () => {
    const folder = await tempFolder();
    const source = join(folder, 'large');
    writeFileSync(source, '');
    const size = 2 ** 33;
    const after = { type: 'file', mode: 'copy', source, size, digest: { algorithm: 'md5', hex: '' } } as const;
    // Nobody waits for the bytes.
    const stop = writeTar(join(folder, 'x.tar'), [{ path: 'large', after }], {
      mtime,
      read: async () => {
        throw new Error('enough');
      },
    });
    await expect(stop).rejects.toThrow('enough');
    const bytes = readFileSync(join(folder, 'x.tar'));
    expect(bytes.toString('utf8', 512, 1024)).toContain(` size=${size}\n`);
    expect(new Header(bytes, 1024).size).toBe(size);
  });

  it('is not made of a source with other content, nor in the place of anything', async () => {
    const folder = await tempFolder();
    const after = fileOf(folder, 'right');
    writeFileSync(after.source, 'wrong');
    await expect(writeTar(join(folder, 'x.tar'), [{ path: 'x', after }], { mtime })).rejects.toMatchObject({
      code: 'wrong-content',
    });
    writeFileSync(join(folder, 'y.tar'), 'mine');
    await expect(writeTar(join(folder, 'y.tar'), [], { mtime })).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(join(folder, 'y.tar'), 'utf8')).toBe('mine');
  });
});
