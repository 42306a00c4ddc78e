import { isSystemError } from '../errors.ts';

/** What a disk or a folder says that is not there, not ours, or broken. */
const UNREACHABLE = [
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'EIO',
  'ENXIO',
  'ENODEV',
  'ESTALE',
  'ENOTCONN',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
];

/** Gives what is read from a place that may go or break at any moment, and need not be there; then nothing. */
export async function ifReachable<T>(read: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isSystemError(error, ...UNREACHABLE)) return undefined;
    throw error;
  }
}
