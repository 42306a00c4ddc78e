import { GypsumError, isFromSystem, isGypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace, sleep } from '../give-way.ts';
import { retryDelay } from '../model/retry-delay.ts';
import type { ReplicaEntry, ReplicaFolder } from './replica-entry.ts';
import type {
  ChangeMode,
  ChangeTime,
  CopyFile,
  MakeFolder,
  Move,
  Operation,
  ReplicaPlan,
  WriteFile,
} from './replica-plan.ts';
import type { Repository, Written } from './repository.ts';
import { touchedFolders } from './touched-folders.ts';

export interface ApplyReplicaOptions extends CallOptions {
  /** Ends the work behind the operation in hand, and without an error. */
  until?: AbortSignal | undefined;
  /** Hears of each operation that was carried out, and of what was written; it is waited for. */
  onOperation?: (operation: Operation, written: Written) => unknown;
  /** Hears of each operation that was not; the rest goes on. */
  onFailure?: (operation: Operation, error: Error) => void;
}

export interface AppliedReplica {
  readonly done: number;
  /** It was stopped before all was tried. */
  readonly stopped: boolean;
}

/** How often a file is copied that changes meanwhile, and something is tried that others have in use. */
const ATTEMPTS = 4;

/** Units: milliseconds. Before the second attempt; it doubles. */
const AGAIN_AFTER = 50;

/** Carries out a plan, each operation for itself: one that fails keeps none of the others from it, unless the disk is full. */
export async function applyReplica(
  plan: ReplicaPlan,
  source: Repository,
  destination: Repository,
  { signal, until, onEvent, onOperation, onFailure }: ApplyReplicaOptions = {},
): Promise<AppliedReplica> {
  const { operations } = plan;
  const pace = createPace(signal);
  const touched = new Set<string>();
  const late: (ChangeMode | ChangeTime)[] = [];
  let done = 0;
  let seen = 0;
  const attempt = async (operation: Operation, work: () => Promise<Written>): Promise<void> => {
    let written: Written;
    try {
      written = await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!isFailure(error) || isFatal(error) || onFailure === undefined) throw error;
      onFailure(operation, explain(operation, error));
      return;
    }
    done++;
    // What goes wrong there is no failure of the operation.
    await onOperation?.(operation, written);
  };
  onEvent?.({ type: 'start', task: 'change', files: operations.length, bytes: operations.reduce(addSize, 0) });
  try {
    for (const operation of operations) {
      if (pace.due()) await pace.rest();
      if (until?.aborted) break;
      seen++;
      if (isLate(operation)) late.push(operation);
      else {
        for (const folder of touchedFolders(operation)) touched.add(folder);
        await attempt(operation, () => carryOut(operation, source, destination, signal));
      }
      onEvent?.({ type: 'progress', task: 'change', files: 1, bytes: addSize(0, operation) });
    }
  } finally {
    // Also where it is stopped: modes that forbid changes have been lifted.
    await endFolders(plan.folders, touched, late, { destination, attempt });
  }
  onEvent?.({ type: 'end', task: 'change' });
  return { done, stopped: seen < operations.length };
}

interface Ending {
  readonly destination: Repository;
  readonly attempt: (operation: Operation, work: () => Promise<Written>) => Promise<void>;
}

/** Gives folders their modes and times, the innermost ones first. */
async function endFolders(
  folders: readonly ReplicaFolder[],
  touched: ReadonlySet<string>,
  late: readonly (ChangeMode | ChangeTime)[],
  { destination, attempt }: Ending,
): Promise<void> {
  const operations = new Map<string, (ChangeMode | ChangeTime)[]>();
  for (const operation of late) operations.set(operation.path, [...(operations.get(operation.path) ?? []), operation]);
  for (const { path, mode, mtime } of folders.toReversed()) {
    const change = { type: 'directory', path, ...(mode !== undefined && { mode }), mtime } as const;
    const own = operations.get(path) ?? [];
    for (const operation of own) await attempt(operation, () => destination.modify(change));
    if (own.length > 0 || !touched.has(path)) continue;
    try {
      await destination.modify(change);
    } catch (error) {
      // One that could not be made, or is something else by now, has been told of with what was to be in it.
      if (isSystemError(error, 'ENOENT', 'ENOTDIR') || isGypsumError(error, 'file-changed')) continue;
      await attempt({ op: 'touch', type: 'directory', path, mtime }, () => Promise.reject(error));
    }
  }
}

function isLate(operation: Operation): operation is ChangeMode | ChangeTime {
  return (operation.op === 'chmod' || operation.op === 'touch') && operation.type === 'directory';
}

async function carryOut(
  operation: Operation,
  source: Repository,
  destination: Repository,
  signal: AbortSignal | undefined,
): Promise<Written> {
  const { op, path } = operation;
  const again = <T>(work: () => Promise<T>) => untilFree(work, signal);
  switch (op) {
    case 'mkdir':
      return again(() => destination.create(folderOf(operation)));
    case 'create':
    case 'modify':
      return write(operation, source, destination, signal);
    case 'copy':
      return copy(operation, source, destination, signal);
    case 'link': {
      const { target, targetType, mtime, replaces } = operation;
      const link = { type: 'symlink', path, target, ...(targetType !== undefined && { targetType }), mtime } as const;
      return again(() => (replaces ? destination.modify(link) : destination.create(link)));
    }
    case 'move':
      return again(() => move(operation, destination));
    case 'chmod':
    case 'touch':
      return again(() => destination.modify(operation));
    case 'delete':
      return again(() => remove(path, operation.type, destination));
    case 'rmdir':
      return again(() => remove(path, 'directory', destination));
  }
}

function folderOf({ op: _, ...facts }: MakeFolder): ReplicaFolder {
  return { type: 'directory', ...facts };
}

async function move({ from, path, stays, digest }: Move, destination: Repository): Promise<Written> {
  if (destination.move === undefined) throw new Error('nothing moves in this repository');
  await destination.move(from, path, { stays: stays === true });
  return digest === undefined ? {} : { digest };
}

async function remove(path: string, type: ReplicaEntry['type'], destination: Repository): Promise<Written> {
  await destination.delete(path, type);
  return {};
}

/** Reads a file of the source into the replica, again if it changes meanwhile. */
async function write(
  { op, path }: Pick<WriteFile, 'op' | 'path'>,
  source: Repository,
  destination: Repository,
  signal: AbortSignal | undefined,
): Promise<Written> {
  return untilFree(async () => {
    const file = await source.read(path);
    try {
      const { size: _, inode: __, ...entry } = file.opened.entry;
      const wanted = { ...entry, path };
      return await (op === 'create' ? destination.create(wanted, file) : destination.modify(wanted, file));
    } finally {
      file.close();
    }
  }, signal);
}

async function copy(
  { op: _, from, ...entry }: CopyFile,
  source: Repository,
  destination: Repository,
  signal: AbortSignal | undefined,
): Promise<Written> {
  if (destination.copy === undefined) throw new Error('nothing is copied in this repository');
  try {
    await destination.copy(from, { ...entry, type: 'file' });
    return { digest: entry.digest };
  } catch (error) {
    signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    // Whatever it is, the source has it.
    return write({ op: 'modify', path: entry.path }, source, destination, signal);
  }
}

/** Tries again what fails since others change or use it. */
async function untilFree<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isPassing = isGypsumError(error, 'file-changed') || isSystemError(error, ...PASSING);
      if (attempt === ATTEMPTS || !isPassing) throw error;
      await sleep(retryDelay(AGAIN_AFTER, attempt), signal);
    }
  }
}

/** On Windows, what others have open cannot be replaced. */
const PASSING = ['EBUSY', 'ETXTBSY', ...(process.platform === 'win32' ? ['EPERM', 'EACCES'] : [])];

/** Whether it is the world's fault, and not ours. */
function isFailure(error: unknown): error is Error {
  return isFromSystem(error) || isGypsumError(error);
}

function isFatal(error: unknown): boolean {
  return isSystemError(error, 'ENOSPC', 'EDQUOT', 'EROFS');
}

function explain({ path }: Operation, error: Error): Error {
  if (!isGypsumError(error, 'file-changed')) return error;
  return new GypsumError('file-changed', `It is unstable: ${error.message}`, {
    hint: 'Do it again when nobody writes to it.',
    details: { path },
    cause: error,
  });
}

function addSize(sum: number, operation: Operation): number {
  return operation.op === 'create' || operation.op === 'modify' ? sum + operation.size : sum;
}
