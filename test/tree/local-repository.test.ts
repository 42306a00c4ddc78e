import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type File, openLocalRepository, type Repository } from '../../src/index.ts';
import { applyReplica } from '../../src/tree/apply-replica.ts';
import { planReplica } from '../../src/tree/plan-replica.ts';
import { partialName } from '../../src/tree/put-file.ts';
import { age, look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

/** A repository with files of which something happens to them while they are read. */
function disturbed(repository: Repository, disturb: (path: string, time: number) => void): Repository {
  let time = 0;
  return {
    ...repository,
    async read(path): Promise<File> {
      const { place: _, ...file } = await repository.read(path);
      return {
        ...file,
        async *chunks(from) {
          yield* file.chunks(from);
          disturb(path, ++time);
        },
      };
    },
  };
}

async function replicate(src: string, dst: string, from: Repository): Promise<string[]> {
  const to = openLocalRepository(dst);
  const [source, destination] = [(await openLocalRepository(src).list()).entries, (await to.list()).entries];
  const failures: string[] = [];
  await applyReplica(await planReplica(source, destination), from, to, {
    onFailure: ({ path }, error) => failures.push(`${path}: ${error.message}`),
  });
  to.close();
  return failures;
}

describe('a file that changes while it is copied', () => {
  it('is copied again', async () => {
    const { src, dst } = await makePair({ a: 'x', b: 'y' });
    const from = disturbed(openLocalRepository(src), (path, time) => {
      if (path === 'a' && time < 3) appendFileSync(join(src, path), `${time}`);
    });
    expect(await replicate(src, dst, from)).toEqual([]);
    expect(await look(dst)).toEqual(await look(src));
    expect(readFileSync(join(dst, 'a'), 'utf8')).toBe('x12');
  });

  it('is told of if it does not come to rest, and the replica keeps what it has', async () => {
    const { src, dst } = await makePair({ a: 'newer', b: 'y', c: 'z' }, { a: 'old' });
    const from = disturbed(openLocalRepository(src), (path) => {
      if (path !== 'c') appendFileSync(join(src, path), '+');
    });
    expect(await replicate(src, dst, from)).toEqual([
      'a: It is unstable: a was changed while it was copied.',
      'b: It is unstable: b was changed while it was copied.',
    ]);
    expect(readdirSync(dst)).toEqual(['a', 'c']);
    expect(readFileSync(join(dst, 'a'), 'utf8')).toBe('old');
  });

  it('is not read where something else stands there by then', async () => {
    const { src, dst, outside } = await makePair({ a: 'x', b: 'y', 'd/c': 'z' });
    const from = openLocalRepository(src);
    const [listed] = [await from.list()];
    const to = openLocalRepository(dst);
    symlinkSync('canary', join(outside, 'c'));
    renameSync(join(src, 'b'), join(src, 'a'));
    symlinkSync(join(outside, 'canary'), join(src, 'b'));
    renameSync(join(src, 'd'), join(src, 'e'));
    symlinkSync(outside, join(src, 'd'));
    const failures: string[] = [];
    await applyReplica(await planReplica(listed.entries, []), from, to, {
      onFailure: ({ path }) => failures.push(path),
    });
    expect(failures).toEqual(['b', 'd/c']);
    expect(readdirSync(dst)).toEqual(['a', 'd']);
  });
});

it('nothing is written through a folder that becomes a symlink while a file is copied', async () => {
  const { top, src, dst, outside } = await makePair({ 'd/canary': 'mine' }, { 'd/canary': 'its own' });
  for (const root of [src, dst]) age(join(root, 'd'));
  const before = snapshot(outside);
  const from = disturbed(openLocalRepository(src), () => {
    if (existsSync(join(top, 'away'))) return;
    renameSync(join(dst, 'd'), join(top, 'away'));
    symlinkSync(outside, join(dst, 'd'));
  });
  const failures = await replicate(src, dst, from);
  expect(failures).toHaveLength(1);
  expect(snapshot(outside)).toEqual(before);
});

describe('a large file', () => {
  const MiB = 1024 * 1024;
  const SIZE = 70 * MiB;

  it.each<[string, number, (partial: string) => void]>([
    ['is behind its end', 66 * MiB, (partial) => appendFileSync(partial, 'garbage')],
    [
      'is in its midst',
      10 * MiB,
      (partial) =>
        execFileSync('sh', ['-c', 'printf x | dd of="$0" bs=1048576 seek=10 conv=notrunc', partial], {
          stdio: 'ignore',
        }),
    ],
    ['is longer than it', 70 * MiB, (partial) => truncateSync(partial, 80 * MiB)],
  ])('goes on where it was, as far as what is there is the same: what is other %s', async (_, equal, spoil) => {
    const { src, dst } = await makePair();
    const large = join(src, 'large');
    writeFileSync(large, 'begin');
    truncateSync(large, SIZE);
    const { place: _place, ...file } = await openLocalRepository(src).read('large');
    const { stamp, entry } = file.look();
    const partial = join(dst, partialName(`large\0${stamp}`));
    writeFileSync(partial, 'begin');
    truncateSync(partial, 66 * MiB);
    spoil(partial);
    const { ino } = lstatSync(partial);
    const begins: number[] = [];
    const counting: File = {
      ...file,
      chunks(from = 0) {
        begins.push(from);
        return file.chunks(from);
      },
    };
    const { digest } = await openLocalRepository(dst, { digests: true }).create(entry, counting);
    file.close();
    expect(begins).toEqual([0, equal]);
    expect(lstatSync(join(dst, 'large'))).toMatchObject({ ino, size: SIZE });
    expect(readFileSync(join(dst, 'large')).equals(readFileSync(large))).toBe(true);
    expect(digest).toBe(createHash('sha256').update(readFileSync(large)).digest('hex'));
    expect(readdirSync(dst)).toEqual(['large']);
  });

  it('is not written to a file that has another name, either', async () => {
    const { src, dst, outside } = await makePair();
    writeFileSync(join(src, 'large'), 'begin');
    truncateSync(join(src, 'large'), SIZE);
    const { place: _place, ...file } = await openLocalRepository(src).read('large');
    const { stamp, entry } = file.opened;
    linkSync(join(outside, 'canary'), join(dst, partialName(`large\0${stamp}`)));
    await openLocalRepository(dst).create(entry, file);
    file.close();
    expect(readFileSync(join(outside, 'canary'), 'utf8')).toBe('alive');
    expect(readFileSync(join(dst, 'large')).equals(readFileSync(join(src, 'large')))).toBe(true);
    expect(readdirSync(dst)).toEqual(['large']);
  });
});

it('a digest is found out if it is asked for', async () => {
  const { src, dst } = await makePair({ a: 'x' });
  const { place: _place, ...file } = await openLocalRepository(src).read('a');
  expect(await openLocalRepository(dst).create(file.opened.entry, file)).toEqual({});
  const { stamp } = file.opened;
  const digest = createHash('sha256').update('x').digest('hex');
  expect(await openLocalRepository(dst, { digests: true }).modify(file.opened.entry, file)).toEqual({ digest, stamp });
  file.close();
});

it('a move, or a copy, takes the place of what stands there at once, and a copy is what it was said to be', async () => {
  const { dst } = await makePair({}, { a: 'x', b: 'y', 'd/c': 'z' });
  const repository = openLocalRepository(dst);
  await repository.move?.('a', 'b', { stays: true });
  expect(readFileSync(join(dst, 'a'), 'utf8') + readFileSync(join(dst, 'b'), 'utf8')).toBe('xx');
  await repository.move?.('d/c', 'b');
  expect(readFileSync(join(dst, 'b'), 'utf8')).toBe('z');
  const entry = { type: 'file', path: 'e', size: 1, mode: 0o600, mtime: 0 } as const;
  await expect(repository.copy?.('b', { ...entry, digest: '0' })).rejects.toMatchObject({ code: 'file-changed' });
  expect(readdirSync(dst)).toEqual(['a', 'b', 'd']);
  mkdirSync(join(dst, 'full/of'), { recursive: true });
  await expect(repository.move?.('a', 'full')).rejects.toMatchObject({ code: 'EISDIR' });
  await expect(repository.delete('full', 'directory')).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  // Somebody else was faster.
  await repository.delete('none', 'file');
  repository.close();
});

it('a folder that is a file by now is not one that holds nothing', async () => {
  const { src } = await makePair({ a: 'x' });
  await expect(openLocalRepository(join(src, 'a')).list()).rejects.toMatchObject({ code: 'ENOTDIR' });
});

it('what goes wrong where operations are heard of ends it, and is no failure of the operation', async () => {
  const { src, dst } = await makePair({ a: 'x', b: 'y' });
  const [from, to] = [openLocalRepository(src), openLocalRepository(dst)];
  const failures: unknown[] = [];
  const applied = applyReplica(await planReplica((await from.list()).entries, []), from, to, {
    onOperation: async () => void readFileSync(join(dst, 'no log')),
    onFailure: (_, error) => failures.push(error),
  });
  await expect(applied).rejects.toMatchObject({ code: 'ENOENT' });
  expect(failures).toEqual([]);
  expect(readdirSync(dst)).toEqual(['a']);
});

it.each(['EBUSY', 'ETXTBSY'])(
  'what others have in use is tried again, and told of if it stays so: %s',
  async (code) => {
    const { src, dst } = await makePair({ a: 'x', b: 'y' }, { a: 'old', b: 'old' });
    const [from, folder] = [openLocalRepository(src), openLocalRepository(dst)];
    const tries = { a: 0, b: 0 };
    const busy: Repository = {
      ...folder,
      async modify(change, content) {
        if (change.path === 'a' && ++tries.a > 2) return folder.modify(change, content);
        if (change.path === 'b') tries.b++;
        throw Object.assign(new Error(code), { code, syscall: 'rename' });
      },
    };
    const failures: string[] = [];
    const plan = await planReplica((await from.list()).entries, (await folder.list()).entries);
    await applyReplica(plan, from, busy, {
      onFailure: ({ path }, error) => failures.push(`${path}: ${error.message}`),
    });
    expect(failures).toEqual([`b: ${code}`]);
    expect(tries).toEqual({ a: 3, b: 4 });
    expect(['a', 'b'].map((path) => readFileSync(join(dst, path), 'utf8'))).toEqual(['x', 'old']);
  },
);

it.each<[string, unknown, (src: string) => void]>([
  ['goes away', { code: 'ENOENT' }, () => {}],
  ['becomes another one', { code: 'file-changed' }, (src) => mkdirSync(src)],
])('a folder that %s while it is listed is not one that holds nothing', async (_, error, then) => {
  const { src } = await makePair({ a: 'x', b: 'y', c: 'z' });
  const repository = openLocalRepository(src);
  const skip = (path: string) => {
    if (path !== 'b') return false;
    renameSync(src, `${src}-away`);
    then(src);
    return false;
  };
  await expect(repository.list({ skip })).rejects.toMatchObject(error as object);
});

it('a file that goes away while a folder is listed is not there', async () => {
  const { src } = await makePair({ a: 'x', b: 'y' });
  const skip = (path: string) => {
    if (path === 'a') rmSync(join(src, 'b'));
    return false;
  };
  expect((await openLocalRepository(src).list({ skip })).entries.map(({ path }) => path)).toEqual(['a']);
});
