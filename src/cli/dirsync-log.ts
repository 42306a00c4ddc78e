import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { type LogEntry, logEntries } from '../ops/operation-log.ts';
import type { GuardName } from '../ops/replica-memory.ts';
import type { SyncFailure } from '../ops/sync-result.ts';
import type { Operation } from '../tree/replica-plan.ts';
import { localTime } from './local-time.ts';

export interface DirsyncLog {
  add(operation: Operation, digest?: string, guard?: GuardName): void;
  fail(failure: SyncFailure): void;
}

/**
 * Says what is done to a replica in the words of dirsync.
 *
 * Shape:  [DEBUG|2026-01-02 03:04:05,678]: create <BLAKE2b-512 of the content> -> path     `-` where there is no content
 */
export function createDirsyncLog(destination: string, say: (line: string) => void): DirsyncLog {
  const hashes = new Map<string, string>();
  const hashAt = (path: string): string | undefined => {
    const hash = hashOf(join(destination, path));
    if (hash !== undefined) hashes.set(path, hash);
    return hash;
  };
  const line = (level: string, what: string, path: string, more = '') =>
    say(`[${level}|${localTime(new Date())}]: ${what} -> ${showText(path)}${more}`);
  const take = ({ op, did, path, from }: LogEntry): string => {
    const done = did ?? op;
    const last = hashes.get(path);
    if (done === 'delete') {
      hashes.delete(path);
      return last ?? '-';
    }
    const before = done === 'move' && from !== undefined ? hashes.get(from) : undefined;
    if (before !== undefined && from !== undefined) {
      hashes.delete(from);
      hashes.set(path, before);
      return before;
    }
    if (done === 'chmod' || done === 'touch') return last ?? '-';
    return hashAt(path) ?? '-';
  };
  return {
    add(operation, _digest, guard) {
      for (const entry of logEntries(operation, undefined, guard)) {
        line('DEBUG', `${entry.op} ${take(entry)}`, entry.path);
      }
    },
    fail: ({ path, message }) => line('ERROR', 'failed -', path, ` (${showText(message)})`),
  };
}

/** Units: bytes. Read at once. */
const CHUNK = 1024 * 1024;

/** Gives nothing of what is no file. */
function hashOf(path: string): string | undefined {
  const hash = createHash('blake2b512');
  try {
    const fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const chunk = Buffer.allocUnsafe(CHUNK);
      for (let length = readSync(fd, chunk); length > 0; length = readSync(fd, chunk)) {
        hash.update(chunk.subarray(0, length));
      }
      return hash.digest('hex');
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (isSystemError(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'EACCES', 'ENXIO', 'EINVAL', 'ENAMETOOLONG')) {
      return undefined;
    }
    throw error;
  }
}
