import { GypsumError } from '../../src/errors.ts';
import { comparePaths, isBelow, parentPath } from '../../src/model/tree.ts';
import { leaveOut } from '../../src/tree/leave-out.ts';
import type { ReplicaEntry, ReplicaFile } from '../../src/tree/replica-entry.ts';
import type { Change, File, Repository } from '../../src/tree/repository.ts';

export interface MemoryRepository extends Repository {
  /** In the order of `comparePaths`. */
  entries(): ReplicaEntry[];
}

/**
 * A repository that is a list of entries in memory; contents of those that it begins with are their digests alone. It is stricter than a
 * folder: what does not fit is an error, and `onChange` hears of every change.
 */
export function memoryRepository(
  entries: readonly ReplicaEntry[],
  {
    moves = true,
    copies = true,
    onChange,
  }: { moves?: boolean; copies?: boolean; onChange?: (at: ReadonlyMap<string, ReplicaEntry>) => void } = {},
): MemoryRepository {
  const at = new Map(entries.map((entry) => [entry.path, entry]));
  const contents = new WeakMap<ReplicaEntry, Uint8Array>();
  const fail = (why: string, path: string): never => {
    throw new Error(`${why}: ${path}`);
  };
  const put = (entry: ReplicaEntry): void => {
    const above = parentPath(entry.path);
    if (above !== '' && at.get(above)?.type !== 'directory') fail('no folder is above', entry.path);
    at.set(entry.path, entry);
  };
  const take = (path: string): ReplicaEntry => {
    const entry = at.get(path) ?? fail('nothing is there', path);
    at.delete(path);
    return entry;
  };
  const done = () => onChange?.(at);
  const file = (path: string): ReplicaFile => {
    const entry = at.get(path);
    if (entry?.type !== 'file') throw new GypsumError('file-changed', `${path} is no file`);
    return entry;
  };
  const withContent = async ({ mtime = 0, ...change }: Change, content: File): Promise<ReplicaFile> => {
    const { size, digest } = content.opened.entry;
    const bytes: Uint8Array[] = [];
    for await (const chunk of content.chunks()) bytes.push(Uint8Array.from(chunk));
    const made: ReplicaFile = { mtime, ...change, type: 'file', size, ...(digest !== undefined && { digest }) };
    contents.set(made, Buffer.concat(bytes));
    return made;
  };
  const rename = (entry: ReplicaEntry, path: string): ReplicaEntry => {
    const renamed = { ...entry, path };
    const content = contents.get(entry);
    if (content !== undefined) contents.set(renamed, content);
    return renamed;
  };
  const notFolder = (path: string) => at.get(path)?.type === 'directory' && fail('a folder is there', path);

  return {
    entries: () => [...at.values()].sort((a, b) => comparePaths(a.path, b.path)),
    async list({ skip } = {}) {
      return { ...leaveOut(this.entries(), skip), unreadable: [], unfollowed: [], leftovers: [] };
    },
    async read(path) {
      const entry = file(path);
      return {
        opened: { entry, stamp: '' },
        look: () => ({ entry, stamp: '' }),
        async *chunks(from = 0) {
          yield (contents.get(entry) ?? new Uint8Array()).subarray(from);
        },
        close() {},
      };
    },
    async create(entry, content) {
      if (at.has(entry.path)) fail('something is there', entry.path);
      if (entry.type === 'file') put(await withContent(entry, content ?? fail('no content', entry.path)));
      else put(entry);
      done();
      return {};
    },
    async modify(change, content) {
      if (content !== undefined) {
        notFolder(change.path);
        put(await withContent(change, content));
      } else if (change.target !== undefined) {
        notFolder(change.path);
        put({ mtime: 0, target: change.target, ...change, type: 'symlink' });
      } else {
        const there = at.get(change.path);
        if (there?.type !== change.type) return fail('something else is there', change.path);
        const { mode, mtime } = change;
        put({ ...there, ...(mode !== undefined && { mode }), ...(mtime !== undefined && { mtime }) } as ReplicaEntry);
      }
      done();
      return {};
    },
    async delete(path, type) {
      if (type === 'directory' && [...at.keys()].some((other) => isBelow(other, path))) fail('it is not empty', path);
      if (take(path).type !== type) fail('something else was there', path);
      done();
    },
    ...(moves && {
      async move(from: string, to: string, { stays = false } = {}) {
        notFolder(to);
        if (at.get(from)?.type === 'directory') {
          if (at.has(to)) fail('something is there', to);
          for (const path of [...at.keys()].filter((other) => isBelow(other, from))) {
            at.set(to + path.slice(from.length), rename(take(path), to + path.slice(from.length)));
          }
        }
        put(rename(stays ? file(from) : take(from), to));
        done();
      },
    }),
    ...(copies && {
      async copy(from: string, entry: ReplicaFile) {
        notFolder(entry.path);
        if (file(from).digest !== entry.digest) fail('it holds something else', from);
        const content = contents.get(file(from));
        if (content !== undefined) contents.set(entry, content);
        put(entry);
        done();
      },
    }),
    close() {},
  };
}
