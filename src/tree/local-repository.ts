import { linkSync, lstatSync, mkdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { GypsumError, isSystemError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { joinPath, nameOf, parentPath } from '../model/tree.ts';
import { type CopyContentOptions, cloneContent, copyContent, digestContent } from './copy-content.ts';
import { inodeOfRoot, listFolder } from './list-folder.ts';
import { openFile } from './open-file.ts';
import { createPlaces } from './places.ts';
import { isAbandoned, isRefusal, partialName, removeIfThere, shortLivedName } from './put-file.ts';
import { createReadAhead, type ReadAhead } from './read-ahead.ts';
import { setReplicaFacts } from './replica-facts.ts';
import { microseconds, replicaEntry, stampOf } from './replica-stats.ts';
import type { Change, ContentAlgorithm, File, Repository, Written } from './repository.ts';
import { createUnlocker } from './unlock-folders.ts';
import { createWay } from './way.ts';

export interface LocalRepositoryOptions {
  /**
   * Take symlinks for what they lead to when it is listed and read, but for folders that hold, or lie in, this one, which is
   * given by its real path.
   */
  followOutside?: string | undefined;
  /** Have a file's bytes on the disk before it takes its place. @default false */
  durable?: boolean;
  /** Give the digest of every file that is written, also where its bytes are shared and need not be read. @default false */
  digests?: boolean;
  /** What names contents. @default 'sha256' */
  algorithm?: ContentAlgorithm | undefined;
  signal?: AbortSignal | undefined;
}

/** Units: bytes. What a kill leaves of the copy of such a file is gone on with; that of a smaller one is begun again. */
const RESUMABLE = 64 * 1024 * 1024;

/**
 * Opens a folder, given by its real path, as a repository. Whatever is written there stands under a short-lived name beside
 * its place until it is whole, and takes it by rename. Folders that nobody may write to are made writable for as long as it takes.
 */
export function openLocalRepository(
  root: string,
  { followOutside, durable = false, digests = false, algorithm = 'sha256', signal }: LocalRepositoryOptions = {},
): Repository {
  const way = createWay(root);
  // Paths that lead from one folder to another are asked for side by side.
  const origin = createWay(root);
  const places = createPlaces(root);
  const unlocker = createUnlocker(way);
  const pace = createPace(signal);
  let mayClone = true;
  let ahead: ReadAhead | undefined;

  /** Has folders be looked at again: others may have changed them. */
  const refresh = () => {
    for (const led of [way, origin]) led.forget();
  };

  const open = (path: string): File => {
    refresh();
    // Where symlinks are followed, they are on the way, too.
    if (followOutside !== undefined) return openFile(places.to(path), path, { follow: true });
    return openFile(origin.to(path), path);
  };

  const digestOf = async (path: string): Promise<string> => {
    const file = open(path);
    try {
      return await digestContent(file, algorithm, pace);
    } finally {
      file.close();
    }
  };

  const prepare = async (file: File, fresh: string, how: CopyContentOptions): Promise<string | undefined> => {
    const place = way.to(fresh);
    const isBegun = isLarge(file) && keepBegun(place);
    if (mayClone && !isBegun && cloneContent(file, place, how)) return digests ? digestOf(fresh) : undefined;
    mayClone &&= isBegun;
    return copyContent(file, place, how, isBegun);
  };

  const write = async (change: Change, file: File, expected?: string): Promise<Written> => {
    const { stamp, entry } = file.opened;
    const { path, mode, mtime = entry.mtime } = change;
    const fresh = besides(path, isLarge(file) ? partialName(`${nameOf(path)}\0${stamp}`) : shortLivedName());
    // Nobody asks for most of them: that is a tenth of the time that a small file takes.
    const asked = digests || expected !== undefined ? algorithm : undefined;
    // No spreads: what they make of 40,000 files, V8 kept 16 MiB for long-lived.
    const how = { mode, mtime, durable, algorithm: asked, pace };
    try {
      const digest = await unlocker.with([path], () => prepare(file, fresh, how));
      if (file.look().stamp !== stamp) throw changed(path, 'was changed while it was copied');
      if (expected !== undefined && (digest ?? (await digestOf(fresh))) !== expected) throw changed(path, 'is another');
      refresh();
      renameSync(fsPath(way.to(fresh)), fsPath(way.to(path)));
      return digest === undefined ? {} : { digest, stamp };
    } catch (error) {
      if (!isLarge(file) || signal?.aborted !== true) removeIfThere(way.to(fresh));
      throw error;
    }
  };

  const link = (change: Change, isFree: boolean): void => {
    const { path, target = '', targetType } = change;
    const at = isFree ? path : besides(path, shortLivedName());
    symlinkSync(fsPath(target), fsPath(way.to(at)), targetType === 'dir' ? 'dir' : 'file');
    try {
      setReplicaFacts(way.to(at), 'symlink', change);
      if (!isFree) renameSync(fsPath(way.to(at)), fsPath(way.to(path)));
    } catch (error) {
      removeIfThere(way.to(at));
      throw error;
    }
  };

  /** Gives a file another name, which takes the place of what stands there; says whether there can be one. */
  const addName = (from: string, to: string): boolean => {
    const fresh = besides(to, shortLivedName());
    try {
      linkSync(fsPath(origin.to(from)), fsPath(way.to(fresh)));
    } catch (error) {
      if (isRefusal('hardlink', error)) return false;
      throw error;
    }
    try {
      renameSync(fsPath(way.to(fresh)), fsPath(way.to(to)));
    } finally {
      removeIfThere(way.to(fresh));
    }
    return true;
  };

  return {
    algorithm,

    async list(options = {}) {
      try {
        return await listFolder(root, { ...options, followOutside, ahead: options.stamps ? undefined : ahead });
      } finally {
        ahead?.close();
        ahead = undefined;
      }
    },
    expect(path, entries) {
      if (followOutside !== undefined) return;
      ahead ??= createReadAhead(root, inodeOfRoot(root));
      ahead.expect(path, entries);
    },
    read: async (path) => open(path),

    async create(entry, content) {
      const { path } = entry;
      refresh();
      if (content !== undefined) return write({ ...entry, type: 'file' }, content);
      await unlocker.with([path], async () => {
        // Its own mode comes when all is in it.
        if (entry.type === 'directory') mkdirSync(fsPath(way.to(path)), { mode: 0o700 });
        else if (entry.type === 'symlink') link(entry, true);
        else throw new Error('a file has content');
      });
      return {};
    },

    async modify(change, content) {
      const { type, path, target } = change;
      refresh();
      if (content !== undefined) return write(change, content);
      if (target !== undefined) await unlocker.with([path], async () => link(change, false));
      else {
        await unlocker.with([path], async () => setReplicaFacts(way.to(path), type, change));
        if (type === 'directory') unlocker.forget(path);
      }
      return {};
    },

    async delete(path, type) {
      refresh();
      const remove = type === 'directory' ? rmdirSync : unlinkSync;
      await unlocker.with([path], async () => unlessGone(() => remove(fsPath(way.to(path)))));
    },

    async move(from, to, { stays = false } = {}) {
      refresh();
      await unlocker.with([from, to], async () => {
        if (!stays || !addName(from, to)) renameSync(fsPath(origin.to(from)), fsPath(way.to(to)));
      });
    },

    async copy(from, entry) {
      const file = open(from);
      try {
        await write(entry, file, entry.digest);
      } finally {
        file.close();
      }
    },

    look(path) {
      way.forget();
      const stats = lstatSync(fsPath(way.to(path)), { throwIfNoEntry: false, bigint: true });
      const entry = stats && replicaEntry(path, stats);
      return stats !== undefined && entry?.type === 'file' ? { ...entry, stamp: stampOf(stats) } : undefined;
    },

    async clear(leftovers) {
      for (const path of leftovers) {
        if (!isAbandoned(path)) continue;
        const folder = parentPath(path);
        const stats = lstatSync(fsPath(way.to(folder)), { throwIfNoEntry: false, bigint: true });
        if (stats === undefined) continue;
        await unlocker.with([path], async () => removeIfThere(way.to(path)));
        // A folder that is as it is to be stays so.
        setReplicaFacts(way.to(folder), 'directory', { mtime: microseconds(stats.mtimeNs) });
      }
    },

    close() {
      ahead?.close();
      unlocker.close();
      for (const led of [way, origin, places]) led.close();
    },
  };
}

function isLarge({ opened }: File): boolean {
  return opened.entry.size >= RESUMABLE;
}

/** Whether there is what a kill has left; what has other names as well is none, and must not be written to. */
function keepBegun(place: string): boolean {
  const stats = lstatSync(fsPath(place), { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (stats.isFile() && stats.nlink === 1) return true;
  unlinkSync(fsPath(place));
  return false;
}

function besides(path: string, name: string): string {
  return joinPath(parentPath(path), name);
}

function unlessGone(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!isSystemError(error, 'ENOENT')) throw error;
  }
}

function changed(path: string, how: string): GypsumError {
  return new GypsumError('file-changed', `${showText(path)} ${how}.`, { details: { path } });
}
