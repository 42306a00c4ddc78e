import { isSystemError } from '../errors.ts';
import { FAILURE } from './exit-codes.ts';

interface Remedy {
  readonly codes: readonly string[];
  readonly exitCode: number;
  readonly message: string;
  readonly hint: string;
}

/** What the system refuses often enough for people to be told more than its own words. */
const REMEDIES: readonly Remedy[] = [
  {
    codes: ['ENOSPC', 'EDQUOT'],
    exitCode: 17,
    message: 'There is no space left',
    hint: 'Free some, or choose a cache on another disk (--cache), and run the same again: what was fetched is kept.',
  },
  {
    codes: ['EACCES', 'EPERM', 'EROFS'],
    exitCode: 18,
    message: 'There is no permission',
    hint: 'Change the permissions, or choose another folder (--cache for the cache, GYPSUM_CONFIG_DIR for settings and logins, GYPSUM_STATE_DIR for uploads).',
  },
  {
    codes: ['EMFILE', 'ENFILE'],
    exitCode: FAILURE,
    message: 'Too many files are open',
    hint: 'Raise the limit (ulimit -n), or transfer fewer files at once.',
  },
  {
    codes: ['ENAMETOOLONG'],
    exitCode: FAILURE,
    message: 'A path, or a name in it, is longer than this system takes',
    hint: 'Give shorter names, or have fewer folders in one another.',
  },
];

/** Gives what is said of an error of the operating system, and the exit code; nothing for other errors. */
export function describeSystemError(error: unknown): { message: string; hint: string; exitCode: number } | undefined {
  const remedy = REMEDIES.find(({ codes }) => isSystemError(error, ...codes));
  if (remedy === undefined || !(error instanceof Error)) return undefined;
  return { message: `${remedy.message}: ${error.message}.`, hint: remedy.hint, exitCode: remedy.exitCode };
}
