import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { type LogEntry, logEntries } from '../ops/operation-log.ts';
import type { SyncFailure, SyncResult } from '../ops/sync-result.ts';
import type { Operation } from '../tree/replica-plan.ts';
import { localTime } from './local-time.ts';

export interface SynctoolLog {
  start(): void;
  finish(): void;
  madeDestination(): void;
  add(operation: Operation): void;
  fail(failure: SyncFailure): void;
  /** Tells of each once, however often it is skipped. */
  skip(skipped: SyncResult['skipped']): void;
}

export interface SynctoolOutput {
  /** Takes a line of the log. */
  add: (line: string) => void;
  print: (line: string) => void;
  warn: (line: string) => void;
}

/**
 * Says what is done to a replica in the words of synctool.
 *
 * Shape:  2026-01-02 03:04:05,678 - root - INFO - Copied originals/a to destination folder
 */
export function createSynctoolLog(
  { source, destination }: { source: string; destination: string },
  { add, print, warn }: SynctoolOutput,
): SynctoolLog {
  const skipped = new Set<string>();
  const log = (level: string, message: string) => add(`${localTime(new Date())} - root - ${level} - ${message}`);
  const tell = (message: string) => {
    print(message);
    log('INFO', message);
  };
  const both = `${showText(source)} \\n ${showText(destination)}`;
  const [from, to] = [source, destination].map((root) => (path: string) => showText(join(root, path))) as [Say, Say];
  return {
    start: () => log('INFO', `Started Logging for ${both}`),
    finish: () => log('INFO', `Finished folder sync ${both}`),
    madeDestination: () => tell(`Creating directory at: ${showText(destination)}`),
    add(operation) {
      for (const entry of logEntries(operation)) tell(messageOf(entry, from, to));
    },
    fail({ path, message }) {
      const isThere = lstatSync(fsPath(join(source, path)), { throwIfNoEntry: false }) !== undefined;
      const what = isThere ? `Couldn't copy ${from(path)}` : `Couldn't remove file at ${to(path)}`;
      warn(`${what}: ${showText(message)}`);
      log('ERROR', `${what}: ${showText(message)}`);
    },
    skip(all) {
      for (const { path, why } of all) {
        if (skipped.has(path)) continue;
        skipped.add(path);
        warn(`Skipped ${from(path)}: it ${showText(why)}`);
        log('WARNING', `Skipped ${from(path)}: it ${showText(why)}`);
      }
    },
  };
}

type Say = (path: string) => string;

function messageOf({ op, path, from: before }: LogEntry, from: Say, to: Say): string {
  switch (op) {
    case 'delete':
      return `Removed file in destination ${to(path)}`;
    case 'rmdir':
      return `Removed folder in destination ${to(path)}`;
    case 'mkdir':
      return `Created Directory in destination folder: ${to(path)}`;
    case 'move':
      return `Moved ${to(before ?? path)} in destination to ${to(path)}`;
    case 'chmod':
      return `Changed mode in destination of ${to(path)}`;
    case 'touch':
      return `Changed time in destination of ${to(path)}`;
    default:
      return `Copied ${from(path)} to destination folder`;
  }
}
