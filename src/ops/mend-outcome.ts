import { isGypsumError, isSystemError } from '../errors.ts';
import type { CacheProblem } from './cache-problems.ts';

/** Gives why something could not be mended; throws the error if it keeps the rest from being mended, too. */
export function whyNot(error: unknown): string {
  if (isGypsumError(error) && error.code !== 'no-space') return error.message;
  if (isSystemError(error, 'EACCES', 'EPERM', 'EIO', 'EROFS')) return error.message;
  throw error;
}

/** Says what became of a problem: it is repaired unless there is a reason why it is not. */
export function outcome(reason: string | undefined): Pick<CacheProblem, 'repaired' | 'reason'> {
  return reason === undefined ? { repaired: true } : { repaired: false, reason };
}
