import { type LockOptions, withLock } from '../cache/locks.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import type { VersionRef } from '../model/refs.ts';

/** Does some work while nobody else saves or removes a version; whoever has to wait is told for whom. */
export function withVersionLock<T>(
  { cache: { layout } }: Context,
  ref: VersionRef,
  call: CallOptions,
  work: () => Promise<T>,
): Promise<T> {
  return withLock(layout, layout.lock(ref), work, versionLockOptions(ref, call));
}

/** Gives how the lock of a version is taken in a call, for what takes it itself. */
export function versionLockOptions(ref: VersionRef, { signal, onEvent }: CallOptions): LockOptions {
  return { signal, onWait: (owner) => onEvent?.({ type: 'wait', for: 'version-lock', ref, owner }) };
}
