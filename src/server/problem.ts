import { isGypsumError, isSystemError } from '../errors.ts';

/** What is wrong with an object. */
export type Fault =
  /** A file or document is not there. */
  | 'missing'
  /** A file has not the size or the digest that the manifest says. */
  | 'wrong-content'
  /** The disk does not give it back. */
  | 'unreadable'
  /** A manifest that no version can have. */
  | 'invalid-manifest'
  /** Another document that is no JSON, or not of its form. */
  | 'invalid-document'
  /** A link to a file that is not there, or is not the same. */
  | 'dangling-link'
  /** `..links`, `..latest` or `..usage` does not say what follows from the versions. */
  | 'stale-document'
  /** An object that stands where none belongs, or of which the manifest knows nothing. */
  | 'foreign';

export interface Problem {
  readonly key: string;
  readonly fault: Fault;
  readonly message: string;
}

/** Hears of a problem. */
export type Note = (key: string, fault: Fault, message: string) => void;

/** Says what is wrong with an object that could not be read whole; nothing for an error that tells nothing of it. */
export function faultOf(error: unknown): Omit<Problem, 'key'> | undefined {
  if (isGypsumError(error, 'wrong-content')) return { fault: 'wrong-content', message: error.message };
  // A copy reads and writes: what is written to may fail as well.
  if (!isSystemError(error, 'EIO') || error.syscall !== 'read') return undefined;
  return { fault: 'unreadable', message: `cannot be read: ${error.message}` };
}
