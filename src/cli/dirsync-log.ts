import { createPace, type Pace } from '../give-way.ts';
import { showText } from '../model/text.ts';
import { isUnreadable } from '../ops/compare-contents.ts';
import { type LogEntry, logEntries } from '../ops/operation-log.ts';
import type { GuardName } from '../ops/replica-memory.ts';
import type { SyncFailure } from '../ops/sync-result.ts';
import { digestContent } from '../tree/copy-content.ts';
import type { Operation } from '../tree/replica-plan.ts';
import type { File, Repository } from '../tree/repository.ts';
import { localTime } from './local-time.ts';

export interface DirsyncLog {
  add(operation: Operation, digest?: string, guard?: GuardName): Promise<void>;
  fail(failure: SyncFailure): void;
}

/**
 * Says what is done to a replica in the words of dirsync.
 *
 * Shape:  [DEBUG|2026-01-02 03:04:05,678]: create <BLAKE2b-512 of the content> -> path     `-` where there is no content
 */
export function createDirsyncLog(replica: Pick<Repository, 'read'>, say: (line: string) => void): DirsyncLog {
  const hashes = new Map<string, string>();
  const pace = createPace();
  const hashAt = async (path: string): Promise<string | undefined> => {
    const hash = await hashOf(replica, path, pace);
    if (hash !== undefined) hashes.set(path, hash);
    return hash;
  };
  const line = (level: string, what: string, path: string, more = '') =>
    say(`[${level}|${localTime(new Date())}]: ${what} -> ${showText(path)}${more}`);
  const take = async ({ op, did, path, from }: LogEntry): Promise<string> => {
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
    return (await hashAt(path)) ?? '-';
  };
  return {
    async add(operation, _digest, guard) {
      for (const entry of logEntries(operation, undefined, guard)) {
        line('DEBUG', `${entry.op} ${await take(entry)}`, entry.path);
      }
    },
    fail: ({ path, message }) => line('ERROR', 'failed -', path, ` (${showText(message)})`),
  };
}

/** Gives nothing of what is no file, or cannot be read. */
async function hashOf(replica: Pick<Repository, 'read'>, path: string, pace: Pace): Promise<string | undefined> {
  let file: File | undefined;
  try {
    file = await replica.read(path);
    return await digestContent(file, 'blake2b512', pace);
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  } finally {
    file?.close();
  }
}
