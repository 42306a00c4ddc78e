import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { GypsumError } from '../errors.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { absolutePath, realPath } from '../tree/real-path.ts';
import type { Operation } from '../tree/replica-plan.ts';
import { openLineLog } from './line-log.ts';
import type { GuardName } from './replica-memory.ts';
import type { SyncFailure } from './sync-result.ts';

export const LOG_FORMATS = ['text', 'json'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

/** Takes down what is done to a replica, in a file that is written to where it ends. */
export interface OperationLog {
  /** The file, by its absolute path. */
  readonly path: string;
  /** `guard` is the name of what undoes what others did to the replica. */
  add(operation: Operation, digest?: string, guard?: GuardName): void;
  /** Takes down anything else that was done. */
  note(entry: LogEntry): void;
  fail(failure: SyncFailure): void;
  /** Lets go of the file until there is more to say: it may be another one then. */
  close(): void;
}

/**
 * Opens a log, which is made with its first line; throws `invalid-argument` where it cannot be.
 *
 * Shape:  [INFO|2026-01-02T03:04:05.678Z]: create 2d7116…4881 -> path     `-` without a digest; odd characters of the path escaped
 *         {"time":"…","level":"INFO","op":"move","path":"…","from":"…","size":1,"digest":"…"}     with the format `json`
 */
export function openOperationLog(file: string, format: LogFormat = 'text', now = () => new Date()): OperationLog {
  const path = absolutePath(file);
  checkLogPlace(path);
  const lines = openLineLog(path);
  const write = (level: 'INFO' | 'ERROR', entry: LogEntry) => {
    const time = now().toISOString();
    lines.add(format === 'json' ? JSON.stringify({ time, level, ...entry }) : textOf(level, time, entry));
  };
  return {
    path,
    add(operation, digest, guard) {
      for (const entry of logEntries(operation, digest, guard)) write('INFO', entry);
    },
    note: (entry) => write('INFO', entry),
    fail: ({ op: tried, ...failure }) => write('ERROR', { op: 'failed', ...(tried && { tried }), ...failure }),
    close: lines.close,
  };
}

/** What a line of a log says. */
export interface LogEntry {
  readonly op: Operation['op'] | GuardName | 'publish' | 'failed' | 'recovered';
  /** What a guard did. */
  readonly did?: Operation['op'];
  readonly path: string;
  readonly from?: string;
  readonly size?: number;
  readonly digest?: string;
  /** What failed. */
  readonly tried?: Operation['op'];
  readonly message?: string;
  readonly code?: string;
  readonly hint?: string;
}

function textOf(level: string, time: string, { op, path, digest = '-', message }: LogEntry): string {
  return `[${level}|${time}]: ${op} ${digest} -> ${showText(path)}${message === undefined ? '' : ` (${showText(message)})`}`;
}

/** Whether an operation gives a name for a short time, which is nobody's concern. */
export function isParking(operation: Operation): boolean {
  return operation.op === 'move' && operation.parks === true;
}

/** Gives what there is to say of an operation: a line for each entry that it is about, what moves with a folder, too. */
export function* logEntries(operation: Operation, digest?: string, guard?: GuardName): Generator<LogEntry> {
  for (const entry of entriesOf(operation, digest)) {
    yield guard === undefined ? entry : { ...entry, op: guard, did: operation.op };
  }
}

function* entriesOf(operation: Operation, known: string | undefined): Generator<LogEntry> {
  if (isParking(operation)) return;
  const { op, path } = operation;
  const digest = known === undefined ? {} : { digest: known };
  const size = 'size' in operation ? { size: operation.size } : {};
  if (operation.op !== 'move') {
    yield { op, path, ...('from' in operation && { from: operation.from }), ...size, ...digest };
    return;
  }
  const from = operation.of ?? operation.from;
  yield { op, path, from, ...size, ...digest };
  for (const child of operation.children ?? []) yield { op, path: `${path}/${child}`, from: `${from}/${child}` };
}

/** Throws `invalid-argument` where a log cannot be, given by its absolute path. */
export function checkLogPlace(path: string): void {
  const isFolder = lstatSync(fsPath(dirname(realPath(path))), { throwIfNoEntry: false })?.isDirectory() === true;
  const stats = statSync(fsPath(path), { throwIfNoEntry: false });
  // A pipe or a terminal is as good as a file.
  if (isFolder && !stats?.isDirectory()) return;
  throw new GypsumError('invalid-argument', `There can be no log at ${showText(path)}.`, {
    hint: 'Give a file in a folder that is there.',
    details: { path },
  });
}
