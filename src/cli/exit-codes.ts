import type { ErrorCode } from '../errors.ts';

/** What the shell is told. These are documented in README.md and only ever added to. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  'invalid-argument': 2,
  'invalid-tree': 3,
  'invalid-response': 4,
  'invalid-manifest': 4,
  'not-found': 5,
  'version-unfinished': 6,
  'version-exists': 7,
  unauthorized: 8,
  forbidden: 8,
  'project-locked': 9,
  refused: 10,
  unavailable: 11,
  'wrong-content': 12,
  'file-changed': 13,
  'cache-mismatch': 14,
  'destination-refused': 15,
  'in-use': 16,
  'no-space': 17,
};

/** For what has no code of its own; errors of the operating system have theirs in system-errors.ts. */
export const FAILURE = 1;
