import { existsSync, readFileSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSystemError } from './errors.ts';
import { sleep } from './give-way.ts';
import { makeFolder } from './make-folder.ts';
import { parseJsonIfAny } from './model/json.ts';
import { isAlive, type LockOwner, lockOwnerSchema, newLockOwner } from './process-owner.ts';

/** Units: milliseconds */
const LOOK_AGAIN = 100;
const TOUCH_EVERY = 5_000;

/** Units: milliseconds. A lock that nobody has touched for so long belongs to nobody. */
const STALE = 3 * TOUCH_EVERY;

/** A lock on the disk. */
export interface LockFiles {
  /** A folder that is there while it is held; touched by its owner. */
  readonly held: string;
  /** Says whose process has it. */
  readonly owner: string;
}

export interface HeldLock {
  readonly isOurs: true;
  /** Aborted where the lock was lost: another process may have it. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/** A lock that was taken, or who else has it. */
export type OwnedLock = HeldLock | { readonly isOurs: false; readonly owner: LockOwner | undefined };

/**
 * Takes a lock for this process, or gives who has it; nobody is waited for who is known to be there. One whose owner has
 * ended is taken over at once; one of whose owner nobody knows, such as of another machine, when it is not touched.
 *
 * Shape:  <path>/       there while it is held
 *         <path>.json   whose process has it
 */
export async function takeLock(path: string, signal?: AbortSignal): Promise<OwnedLock> {
  const owner = `${path}.json`;
  makeFolder(dirname(path), 0o700);
  const writeOwner = (text: string) => writeFileSync(owner, text, { mode: 0o600 });
  return acquire({ held: path, owner }, { signal, writeOwner });
}

export interface WaitOptions {
  signal?: AbortSignal | undefined;
  /** Called once, if another process has the lock, with what it has said of itself. */
  onWait?: ((owner: LockOwner | undefined) => void) | undefined;
  /** How long a lock may lie untouched, by whatever clocks. Units: milliseconds @default 15000 */
  stale?: number | undefined;
  /** Writes down whose process has it. */
  writeOwner: (text: string) => void | Promise<void>;
}

/**
 * Takes a lock for this process, and waits for whoever has it. One whose owner has ended is taken over at once; any other one when
 * nobody touches it: so none is waited for in vain, and who slept may lose it.
 */
export async function waitForLock(files: LockFiles, { onWait, ...options }: WaitOptions): Promise<HeldLock> {
  let told = false;
  const tell = (owner: LockOwner | undefined) => {
    if (!told) onWait?.(owner);
    told = true;
  };
  const lock = await acquire(files, { ...options, onWait: tell });
  if (lock.isOurs) return lock;
  throw new Error('whoever has a lock is waited for');
}

/** Without `onWait`, nobody is waited for who is known to be there. */
async function acquire(
  files: LockFiles,
  { signal, onWait, stale = STALE, writeOwner }: WaitOptions,
): Promise<OwnedLock> {
  let seen: Stats | undefined;
  let since = 0;
  let touches = 0;
  for (;;) {
    signal?.throwIfAborted();
    const found = statSync(files.held, { throwIfNoEntry: false });
    if (found === undefined) {
      forgetDead(files.owner);
      const taken = await take(files, writeOwner);
      if (taken !== undefined) return taken;
      continue;
    }
    const owner = readLockOwner(files.owner);
    const alive = owner && isAlive(owner);
    const isFirst = seen === undefined;
    const isTouched = seen !== undefined && !isSame(seen, found);
    if (isTouched) touches++;
    // To be made is a touch, too, and then its owner is about to be written down.
    const isSomebodys = alive === true || (alive === undefined && touches > (owner === undefined ? 1 : 0));
    // One that is there may have slept: that its lock lies untouched says nothing.
    if (onWait === undefined && isSomebodys) return { isOurs: false, owner };
    if (isFirst || isTouched) {
      seen = found;
      const age = isFirst && onWait !== undefined ? Math.max(0, Date.now() - found.mtimeMs) : 0;
      since = performance.now() - age;
    }
    // Whoever has just taken it needs a moment to write down that it is not the one's before any more.
    const isNobodys = performance.now() - since >= (alive === false ? LOOK_AGAIN : stale);
    if (isNobodys && remove(files, found)) continue;
    if (alive !== false && (owner !== undefined || !isFirst)) onWait?.(owner);
    await sleep(LOOK_AGAIN, signal);
  }
}

/** Gives nothing where somebody else was faster. */
async function take({ held, owner }: LockFiles, writeOwner: WaitOptions['writeOwner']): Promise<HeldLock | undefined> {
  const lost = new AbortController();
  // Most commands take no lock.
  const { lock } = await import('proper-lockfile');
  let letGo: () => Promise<void>;
  try {
    letGo = await lock(held, {
      lockfilePath: held,
      realpath: false,
      // Whether it belongs to nobody is for `acquire` to say.
      stale: 86_400_000,
      update: TOUCH_EVERY,
      onCompromised: (error) => lost.abort(error),
    });
  } catch (error) {
    // Whoever took ours for nobody's, while we were asleep, may have removed it as soon as it was there.
    const isTakenAway = isSystemError(error, 'ENOENT') && existsSync(dirname(held));
    if (isTakenAway || isSystemError(error, 'ELOCKED')) return undefined;
    throw error;
  }
  const release = async () => {
    if (lost.signal.aborted) return;
    try {
      rmSync(owner, { force: true });
    } finally {
      await releaseIfOurs(letGo);
    }
  };
  try {
    await writeOwner(JSON.stringify(newLockOwner()));
  } catch (error) {
    await releaseIfOurs(letGo);
    throw error;
  }
  return { isOurs: true, lost: lost.signal, release };
}

/** Lets a lock go, unless it was taken over meanwhile by another call of this process. */
async function releaseIfOurs(letGo: () => Promise<void>): Promise<void> {
  try {
    await letGo();
  } catch (error) {
    if (!isSystemError(error, 'ERELEASED', 'ENOTACQUIRED')) throw error;
  }
}

/** Whoever takes the lock must not be taken for one that has ended, until it is written down who it is. */
function forgetDead(ownerFile: string): void {
  const owner = readLockOwner(ownerFile);
  if (owner !== undefined && isAlive(owner) === false) rmSync(ownerFile, { force: true });
}

/** Takes away the lock of nobody, unless another one that looked has taken it over by now; says whether it did. */
function remove({ held, owner }: LockFiles, found: Stats): boolean {
  const now = statSync(held, { throwIfNoEntry: false });
  if (now === undefined || !isSame(now, found)) return false;
  // In this order: whoever takes it next must not be taken for the one that has gone.
  rmSync(owner, { force: true });
  rmSync(held, { recursive: true, force: true });
  return true;
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.mtimeMs === other.mtimeMs;
}

/** Gives who has written down to have a lock; nothing if nobody has, or what is no process. */
export function readLockOwner(file: string): LockOwner | undefined {
  try {
    return lockOwnerSchema.safeParse(parseJsonIfAny(readFileSync(file, 'utf8'))).data;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
