import { existsSync, readFileSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import lockfile from 'proper-lockfile';
import { isSystemError } from './errors.ts';
import { sleep } from './give-way.ts';
import { makeFolder } from './make-folder.ts';
import { parseJsonIfAny } from './model/json.ts';
import { isAlive, type LockOwner, lockOwnerSchema, newLockOwner } from './process-owner.ts';

/** Units: milliseconds */
const LOOK_AGAIN = 100;
const TOUCH_EVERY = 5_000;

/** Units: milliseconds. A lock that nobody has touched for so long while we looked belongs to nobody. */
const STALE = 3 * TOUCH_EVERY;

/** A lock that was taken, or who else has it. */
export type OwnedLock =
  | {
      readonly isOurs: true;
      /** Aborted where the lock was lost: another process may have it. */
      readonly lost: AbortSignal;
      release(): Promise<void>;
    }
  | { readonly isOurs: false; readonly owner: LockOwner | undefined };

/**
 * Takes a lock for this process, or gives who has it; nobody is waited for who is known to be there. One whose owner has
 * ended is taken over at once; one of whose owner nobody knows, such as of another machine, when it is not touched.
 *
 * Shape:  <path>/       there while it is held; touched by its owner
 *         <path>.json   whose process has it
 */
export async function takeLock(path: string, signal?: AbortSignal): Promise<OwnedLock> {
  const ownerFile = `${path}.json`;
  makeFolder(dirname(path), 0o700);
  let seen: Stats | undefined;
  let since = 0;
  let touches = 0;
  for (;;) {
    signal?.throwIfAborted();
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) {
      forgetDead(ownerFile);
      const taken = await take(path, ownerFile);
      if (taken !== undefined) return taken;
      continue;
    }
    const owner = readOwner(ownerFile);
    const alive = owner && isAlive(owner);
    const isTouched = seen !== undefined && !isSame(seen, found);
    if (isTouched) touches++;
    // To be made is a touch, too, and then its owner is about to be written down.
    const isSomebodys = touches > (owner === undefined ? 1 : 0);
    // One that is there may have slept: that its lock lies untouched says nothing.
    if (alive === true || (alive === undefined && isSomebodys)) return { isOurs: false, owner };
    if (seen === undefined || isTouched) {
      seen = found;
      since = performance.now();
    }
    // Whoever has just taken it needs a moment to write down that it is not the one's before any more.
    if (performance.now() - since >= (alive === false ? LOOK_AGAIN : STALE)) remove(path, ownerFile, found);
    await sleep(LOOK_AGAIN, signal);
  }
}

/** Gives nothing where somebody else was faster. */
async function take(path: string, ownerFile: string): Promise<OwnedLock | undefined> {
  const lost = new AbortController();
  try {
    const release = await lockfile.lock(path, {
      lockfilePath: path,
      realpath: false,
      // Whether it belongs to nobody is for `takeLock` to say, whatever the clocks of disk and machine show.
      stale: 86_400_000,
      update: TOUCH_EVERY,
      onCompromised: (error) => lost.abort(error),
    });
    writeFileSync(ownerFile, JSON.stringify(newLockOwner()), { mode: 0o600 });
    return {
      isOurs: true,
      lost: lost.signal,
      async release() {
        if (lost.signal.aborted) return;
        rmSync(ownerFile, { force: true });
        await release();
      },
    };
  } catch (error) {
    // Whoever took ours for nobody's, while we were asleep, may have removed it as soon as it was there.
    const isTakenAway = isSystemError(error, 'ENOENT') && existsSync(dirname(path));
    if (isTakenAway || isSystemError(error, 'ELOCKED')) return undefined;
    throw error;
  }
}

/** Whoever takes the lock must not be taken for one that has ended, until it is written down who it is. */
function forgetDead(ownerFile: string): void {
  const owner = readOwner(ownerFile);
  if (owner !== undefined && isAlive(owner) === false) rmSync(ownerFile, { force: true });
}

/** Takes away the lock of nobody, unless another one that looked has taken it over by now. */
function remove(path: string, ownerFile: string, found: Stats): void {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now === undefined || !isSame(now, found)) return;
  // In this order: whoever takes it next must not be taken for the one that has gone.
  rmSync(ownerFile, { force: true });
  rmSync(path, { recursive: true, force: true });
}

function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.mtimeMs === other.mtimeMs;
}

function readOwner(file: string): LockOwner | undefined {
  try {
    return lockOwnerSchema.safeParse(parseJsonIfAny(readFileSync(file, 'utf8'))).data;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}
