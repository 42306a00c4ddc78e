import { GypsumError } from '../errors.ts';
import type { Flag } from './command.ts';

export const rescueFlag: Flag = {
  flags: '--rescue',
  description: 'make files of links that were edited through, and mend the cache',
};

/** Throws `invalid-argument` for a dry run that would change files. */
export function checkRescue({ rescue, dryRun }: { readonly rescue?: boolean; readonly dryRun?: boolean }): void {
  if (!rescue || !dryRun) return;
  throw new GypsumError('invalid-argument', '"--rescue" changes files, and "--dry-run" shall change nothing.', {
    hint: 'Leave out one of them.',
  });
}
