/**
 * What went wrong, as a closed set: scripts match on it, and every code has an exit code in the command line.
 */
export type ErrorCode =
  /** An option, a ref or a path that the caller gave cannot be right. */
  | 'invalid-argument'
  /** A local file or folder has a name, a type or a link that a version cannot hold. */
  | 'invalid-tree'
  /** The registry sent something that is not what its contract promises. */
  | 'invalid-response'
  /** A manifest that must not be laid out on a disk. */
  | 'invalid-manifest'
  /** The registry does not have this project, asset, version or file. */
  | 'not-found'
  /** The version exists, but its upload has not been completed. */
  | 'version-unfinished'
  /** The version to publish exists already. */
  | 'version-exists'
  /** No token, or one that the registry does not know. */
  | 'unauthorized'
  /** The token is known and may not do this. */
  | 'forbidden'
  /** Another upload to the project is in progress. */
  | 'project-locked'
  /** The registry refused the request for another reason. */
  | 'refused'
  /** The registry could not be reached, or failed, also after retries; or it would have to be asked, and it is to work offline. */
  | 'unavailable'
  /** Bytes that are not the ones their digest names, also after retries. */
  | 'wrong-content'
  /** A local file changed or vanished between being looked at and being sent. */
  | 'file-changed'
  /** The cache belongs to another registry. */
  | 'cache-mismatch'
  /** The destination holds something already, or overlaps with the cache. */
  | 'destination-refused'
  /** The data folder, the port, the upload or the jobs are used by another process, or a clone needs what is to be removed. */
  | 'in-use'
  /** The disk has no room for what is to be fetched. */
  | 'no-space';

export interface GypsumErrorOptions {
  /** What the user can do about it, as a sentence. */
  hint?: string;
  /** The values that the message names. */
  details?: Readonly<Record<string, unknown>>;
  /** The error that was caught, whole. */
  cause?: unknown;
}

/** The one error class of this package: match on `code`, show `message` and `hint`. */
export class GypsumError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, { hint, details = {}, cause }: GypsumErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'GypsumError';
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}

/** Whether `error` is a GypsumError, with this code if one is given. */
export function isGypsumError(error: unknown, code?: ErrorCode): error is GypsumError {
  return error instanceof GypsumError && (code === undefined || error.code === code);
}

/** Whether `error` came from the operating system with one of these codes, such as `ENOENT`. */
export function isSystemError(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

/** Whether `error` came from the operating system, whatever its code. */
export function isFromSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
