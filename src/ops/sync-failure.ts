import { GypsumError } from '../errors.ts';
import type { Operation } from '../tree/replica-plan.ts';
import type { SyncFailure } from './sync-result.ts';

/** Gives what results have of an error. */
export function failureOf(path: string, error: Error, op?: Operation['op']): SyncFailure {
  const { message } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const hint = error instanceof GypsumError && error.hint !== undefined ? { hint: error.hint } : {};
  return { path, message, ...code, ...hint, ...(op !== undefined && { op }) };
}

/** Gives what results have of a path where something is in the way; `why` is the end of a sentence that begins with it. */
export function blockedFailure({ path, why }: { readonly path: string; readonly why: string }): SyncFailure {
  const hint = 'Remove it there, or leave it out of both folders.';
  return failureOf(path, new GypsumError('destination-refused', `It ${why}.`, { hint }));
}
