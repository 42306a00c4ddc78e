import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ReplicaEntry } from '../src/tree/replica-entry.ts';
import type { ContentAlgorithm, File, Repository } from '../src/tree/repository.ts';

/** Units: microseconds since 1970 */
const MTIME = 1_700_000_000_123_456;

const file = (path: string, mode = 0o640) => ({ type: 'file', path, mode, mtime: MTIME }) as const;

/** What a repository holds whose reading is tried: two files, a folder and a symlink that leads nowhere. */
export const REPOSITORY_SAMPLE = [
  { ...file('b'), text: 'two' },
  { type: 'directory', path: 'd', mode: 0o755, mtime: MTIME },
  { ...file('d/a'), text: 'one' },
  { type: 'symlink', path: 'l', target: 'no/where', mtime: MTIME },
] as const;

/** How repositories of a kind come about. At least one of the two is there. */
export interface RepositoryKind {
  /** Makes one that holds nothing; absent where nothing can be written. */
  empty?: () => Promise<Repository>;
  /** Makes one that holds `REPOSITORY_SAMPLE`. @default one that is empty, and then filled */
  sample?: () => Promise<Repository>;
}

/** One thing that every kind of repository does. */
export interface RepositoryBehaviour {
  /** The end of a sentence that begins with the repository. */
  readonly name: string;
  /** It needs one that is empty. */
  readonly writes: boolean;
  /** Throws an `AssertionError` where it does not. */
  run(kind: RepositoryKind): Promise<void>;
}

/**
 * What every kind of repository does, for any test runner: of one that is only read, what does not write.
 *
 * `for (const { name, run } of repositoryBehaviour) it(name, () => run(kind))`
 */
export const repositoryBehaviour: readonly RepositoryBehaviour[] = [
  reads('lists what it holds, in order, with modes and times', async (repository) => {
    assert.deepEqual(
      await listed(repository),
      REPOSITORY_SAMPLE.map((entry) => {
        if (entry.type !== 'file') return entry;
        const { text, ...facts } = entry;
        return { ...facts, size: text.length };
      }),
    );
  }),

  reads('leaves out what it is told to, with all that is below', async (repository) => {
    const { entries, left } = await repository.list({ skip: (path) => path === 'd' });
    assert.deepEqual([entries.map(({ path }) => path), left], [['b', 'l'], ['d']]);
  }),

  reads('reads files, also from a byte on, and says what they are', async (repository) => {
    assert.equal(await contentOf(repository, 'd/a'), 'one');
    assert.equal(await contentOf(repository, 'b', 1), 'wo');
    const open = await repository.read('d/a');
    const { entry, stamp } = open.look();
    assert.deepEqual([entry.type, entry.size, entry.mode, entry.mtime], ['file', 3, 0o640, MTIME]);
    assert.equal(open.look().stamp, stamp);
    open.close();
  }),

  reads('has digests of its contents, where it has any, by the algorithm that it names', async (repository) => {
    const { entries } = await repository.list();
    for (const entry of entries) {
      if (entry.type !== 'file' || entry.digest === undefined) continue;
      assert.equal(entry.digest, digestOf(await contentOf(repository, entry.path), repository.algorithm));
    }
  }),

  reads('reads no symlink and no folder', async (repository) => {
    for (const path of ['l', 'd']) await assert.rejects(repository.read(path), { code: 'file-changed' });
  }),

  writes('has other contents, targets, modes and times, each without the others', async (repository) => {
    await fill(repository);
    await repository.modify(file('b', 0o600), textFile('other'));
    await repository.modify({ type: 'symlink', path: 'l', target: 'b', mtime: MTIME + 1 });
    await repository.modify({ type: 'file', path: 'd/a', mode: 0o600 });
    await repository.modify({ type: 'file', path: 'd/a', mtime: MTIME - 1 });
    await repository.modify(file('n'), textFile('new'));
    await repository.modify({ type: 'symlink', path: 'n', target: 'd', mtime: MTIME });
    assert.deepEqual(
      (await listed(repository)).filter(({ path }) => path !== 'd'),
      [
        { ...file('b', 0o600), size: 5 },
        { ...file('d/a', 0o600), size: 3, mtime: MTIME - 1 },
        { type: 'symlink', path: 'l', target: 'b', mtime: MTIME + 1 },
        { type: 'symlink', path: 'n', target: 'd', mtime: MTIME },
      ],
    );
    assert.equal(await contentOf(repository, 'b'), 'other');
  }),

  writes('removes what is told, and no folder that holds something', async (repository) => {
    await fill(repository);
    await assert.rejects(repository.delete('d', 'directory'));
    await repository.delete('d/a', 'file');
    await repository.delete('d', 'directory');
    await repository.delete('l', 'symlink');
    assert.deepEqual(
      (await listed(repository)).map(({ path }) => path),
      ['b'],
    );
  }),

  writes('moves and copies if it can, with what is in a folder, and over files', async (repository) => {
    await fill(repository);
    if (repository.move === undefined || repository.copy === undefined) return;
    await repository.move('d', 'e');
    await repository.move('e/a', 'b', { stays: true });
    assert.deepEqual([await contentOf(repository, 'b'), await contentOf(repository, 'e/a')], ['one', 'one']);
    await repository.move('b', 'l');
    const digest = digestOf('one', repository.algorithm);
    await repository.copy('e/a', { ...file('c'), size: 3, digest });
    await assert.rejects(repository.copy('e/a', { ...file('x'), size: 3, digest: 'another' }));
    assert.deepEqual(
      (await listed(repository)).map(({ type, path }) => `${type} ${path}`),
      ['file c', 'directory e', 'file e/a', 'file l'],
    );
    assert.deepEqual([await contentOf(repository, 'c'), await contentOf(repository, 'l')], ['one', 'one']);
  }),
];

type Try = (repository: Repository) => Promise<void>;

function reads(name: string, attempt: Try): RepositoryBehaviour {
  return { name, writes: false, run: async (kind) => using(await makeSample(kind), attempt) };
}

function writes(name: string, attempt: Try): RepositoryBehaviour {
  return {
    name,
    writes: true,
    async run({ empty }) {
      assert.ok(empty, 'a repository that is empty is needed');
      await using(await empty(), attempt);
    },
  };
}

async function using(repository: Repository, attempt: Try): Promise<void> {
  try {
    await attempt(repository);
  } finally {
    repository.close();
  }
}

async function makeSample({ empty, sample }: RepositoryKind): Promise<Repository> {
  if (sample !== undefined) return sample();
  assert.ok(empty, 'a repository is needed');
  const repository = await empty();
  await fill(repository);
  return repository;
}

async function fill(repository: Repository): Promise<void> {
  for (const entry of REPOSITORY_SAMPLE) {
    if (entry.type === 'file') {
      const { text, ...facts } = entry;
      await repository.create(facts, textFile(text, repository.algorithm));
    } else await repository.create(entry);
  }
  await repository.modify({ type: 'directory', path: 'd', mode: 0o755, mtime: MTIME });
}

/** Gives what is listed, without what only some kinds know. */
async function listed(repository: Repository): Promise<ReplicaEntry[]> {
  return (await repository.list()).entries.map((entry): ReplicaEntry => {
    if (entry.type === 'special') return entry;
    const { inode: _, ...rest } = entry;
    if (rest.type === 'file') delete rest.digest;
    if (rest.type === 'symlink') {
      const { targetType: __, ...link } = rest;
      return link;
    }
    return rest;
  });
}

async function contentOf(repository: Repository, path: string, from?: number): Promise<string> {
  const open = await repository.read(path);
  const bytes: Uint8Array[] = [];
  try {
    for await (const chunk of open.chunks(from)) bytes.push(Uint8Array.from(chunk));
  } finally {
    open.close();
  }
  return Buffer.concat(bytes).toString();
}

/** A file that is nowhere but in memory. */
function textFile(text: string, algorithm?: ContentAlgorithm): File {
  const bytes = Buffer.from(text);
  const digest = digestOf(text, algorithm);
  const opened = { entry: { type: 'file', path: '', size: bytes.length, mtime: 0, digest }, stamp: digest } as const;
  return {
    opened,
    look: () => opened,
    async *chunks(from = 0) {
      yield bytes.subarray(from);
    },
    close() {},
  };
}

function digestOf(text: string, algorithm: ContentAlgorithm = 'sha256'): string {
  return createHash(algorithm).update(text).digest('hex');
}
