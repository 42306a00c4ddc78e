import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { File, ReplicaEntry, Repository } from '../../src/index.ts';

/** A file that is nowhere but in memory. */
function textFile(text: string): File {
  const bytes = Buffer.from(text);
  const digest = createHash('sha256').update(bytes).digest('hex');
  return {
    look: () => ({ entry: { type: 'file', path: '', size: bytes.length, mtime: 0, digest }, stamp: digest }),
    async *chunks(from = 0) {
      yield bytes.subarray(from);
    },
    close() {},
  };
}

async function contentOf(repository: Repository, path: string): Promise<string> {
  const file = await repository.read(path);
  const bytes: Uint8Array[] = [];
  try {
    for await (const chunk of file.chunks()) bytes.push(Uint8Array.from(chunk));
  } finally {
    file.close();
  }
  return Buffer.concat(bytes).toString();
}

const MTIME = 1_700_000_000_123_456;

/** What every kind of repository does; `make` gives an empty one. */
export function describeRepository(name: string, make: () => Promise<Repository>): void {
  describe(`a repository that is ${name}`, () => {
    const file = (path: string, mode = 0o640) => ({ type: 'file', path, mode, mtime: MTIME }) as const;

    /** Gives what is listed, without what only some kinds know. */
    const listed = async (repository: Repository): Promise<ReplicaEntry[]> =>
      (await repository.list()).entries.map((entry) => {
        if (entry.type === 'special') return entry;
        const { inode: _, ...rest } = entry;
        if (rest.type === 'file') delete rest.digest;
        return rest;
      });

    const filled = async (): Promise<Repository> => {
      const repository = await make();
      await repository.create({ type: 'directory', path: 'd', mode: 0o700, mtime: MTIME });
      await repository.create(file('d/a'), textFile('one'));
      await repository.create(file('b'), textFile('two'));
      await repository.create({ type: 'symlink', path: 'l', target: 'no/where', mtime: MTIME });
      return repository;
    };

    it('lists what was made, in order, with modes and times', async () => {
      const repository = await filled();
      await repository.modify({ type: 'directory', path: 'd', mode: 0o755, mtime: MTIME });
      expect(await listed(repository)).toEqual([
        { ...file('b'), size: 3 },
        { type: 'directory', path: 'd', mode: 0o755, mtime: MTIME },
        { ...file('d/a'), size: 3 },
        { type: 'symlink', path: 'l', target: 'no/where', mtime: MTIME },
      ]);
      expect(await contentOf(repository, 'd/a')).toBe('one');
      repository.close();
    });

    it('has other contents, targets, modes and times, each without the others', async () => {
      const repository = await filled();
      await repository.modify(file('b', 0o600), textFile('other'));
      await repository.modify({ type: 'symlink', path: 'l', target: 'b', mtime: MTIME + 1 });
      await repository.modify({ type: 'file', path: 'd/a', mode: 0o600 });
      await repository.modify({ type: 'file', path: 'd/a', mtime: MTIME - 1 });
      await repository.modify(file('n'), textFile('new'));
      await repository.modify({ type: 'symlink', path: 'n', target: 'd', mtime: MTIME });
      expect((await listed(repository)).filter(({ path }) => path !== 'd')).toEqual([
        { ...file('b', 0o600), size: 5 },
        { ...file('d/a', 0o600), size: 3, mtime: MTIME - 1 },
        { type: 'symlink', path: 'l', target: 'b', mtime: MTIME + 1 },
        { type: 'symlink', path: 'n', target: 'd', mtime: MTIME },
      ]);
      expect(await contentOf(repository, 'b')).toBe('other');
      repository.close();
    });

    it('reads no symlink and no folder', async () => {
      const repository = await filled();
      for (const path of ['l', 'd'])
        await expect(repository.read(path)).rejects.toMatchObject({ code: 'file-changed' });
      repository.close();
    });

    it('removes what is told, and no folder that holds something', async () => {
      const repository = await filled();
      await expect(repository.delete('d', 'directory')).rejects.toThrow();
      await repository.delete('d/a', 'file');
      await repository.delete('d', 'directory');
      await repository.delete('l', 'symlink');
      expect((await listed(repository)).map(({ path }) => path)).toEqual(['b']);
      repository.close();
    });

    it('moves and copies if it can, with what is in a folder, and over files', async () => {
      const repository = await filled();
      if (repository.move === undefined || repository.copy === undefined) return;
      await repository.move('d', 'e');
      await repository.move('e/a', 'b', { stays: true });
      expect([await contentOf(repository, 'b'), await contentOf(repository, 'e/a')]).toEqual(['one', 'one']);
      await repository.move('b', 'l');
      const digest = textFile('one').look().entry.digest ?? '';
      await repository.copy('e/a', { ...file('c'), size: 3, digest });
      await expect(repository.copy('e/a', { ...file('x'), size: 3, digest: 'another' })).rejects.toThrow();
      const paths = (await listed(repository)).map(({ type, path }) => `${type} ${path}`);
      expect(paths).toEqual(['file c', 'directory e', 'file e/a', 'file l']);
      expect([await contentOf(repository, 'c'), await contentOf(repository, 'l')]).toEqual(['one', 'one']);
      repository.close();
    });
  });
}
