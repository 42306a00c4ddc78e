import { closeSync, openSync, writeSync } from 'node:fs';
import { Header } from 'tar/header';
import { Pax } from 'tar/pax';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { readVerified } from './read-verified.ts';
import type { Directory, FileOf, SymlinkTo } from './step.ts';

/** A folder, a symlink or a file of a tar file: what would be made in a folder. */
export interface TarEntry {
  readonly path: string;
  readonly after: Directory | SymlinkTo | FileOf;
}

export interface TarOptions extends CallOptions {
  /** The time of every entry; so the same tree gives the same bytes. */
  mtime: Date;
  /** @default the real one */
  read?: typeof readVerified;
}

/** Units: bytes */
const BLOCK = 512;

/** The largest size that a header has room for; past it, and for names that it does not hold, stands one of pax. */
const MAX_USTAR_SIZE = 0o77777777777;

/** Units: bytes. No path that is longer can be divided so that a header has room for it. */
const MAX_USTAR_PATH = 256;

/**
 * Writes a new tar file of entries, in their order and all as nobody's; throws `wrong-content` if a source does not hold what
 * is expected. Names must be UTF-8.
 *
 * Source: POSIX, pax, "ustar Interchange Format" and "pax Interchange Format"
 */
export async function writeTar(
  file: string,
  entries: Iterable<TarEntry>,
  { mtime, read = readVerified, signal, onEvent }: TarOptions,
): Promise<void> {
  const pace = createPace(signal);
  const to = openSync(fsPath(file), 'wx', 0o644);
  const write = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) at += writeSync(to, bytes, at);
  };
  let files = 0;
  let bytes = 0;
  const report = () => {
    onEvent?.({ type: 'progress', task: 'export', files, bytes });
    [files, bytes] = [0, 0];
  };
  try {
    for (const { path, after } of entries) {
      write(headerOf(path, after, mtime));
      if (after.type === 'file') {
        await read(after.source, after, pace, write);
        write(Buffer.alloc(-after.size & (BLOCK - 1)));
        bytes += after.size;
      }
      files++;
      if (pace.due()) {
        report();
        await pace.rest();
      }
    }
    write(Buffer.alloc(2 * BLOCK));
    report();
  } finally {
    closeSync(to);
  }
}

const TYPES = { file: 'File', directory: 'Directory', symlink: 'SymbolicLink' } as const;
const MODES = { file: 0o644, directory: 0o755, symlink: 0o777 } as const;

function headerOf(path: string, after: TarEntry['after'], mtime: Date): Uint8Array {
  const { type } = after;
  const name = type === 'directory' ? `${path}/` : path;
  const size = type === 'file' ? after.size : 0;
  const link = type === 'symlink' ? { linkpath: after.target } : {};
  const block = Buffer.alloc(BLOCK);
  // To find out where a path can be divided takes the square of its depth.
  const isLong = name.length > MAX_USTAR_PATH;
  const needsMore = new Header({
    path: isLong ? name.slice(0, 50) : name,
    type: TYPES[type],
    mode: (type === 'symlink' ? undefined : after.permissions) ?? MODES[type],
    ...link,
    uid: 0,
    gid: 0,
    size,
    mtime,
  }).encode(block);
  if (!isLong && !needsMore) return block;
  const pax = new Pax({ path: name, mtime, ...link, ...(size > MAX_USTAR_SIZE && { size }) });
  return Buffer.concat([pax.encode(), block]);
}
