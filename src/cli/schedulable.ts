import { GypsumError } from '../errors.ts';

/** Commands that come to an end by themselves, ask nobody anything, and are worth being done again. */
export const SCHEDULABLE: readonly string[] = [
  'sync',
  'save',
  'clone',
  'get',
  'fetch',
  'checkout',
  'status',
  'relink',
  'link',
  'export',
  'upload',
  'put',
  'add',
  'uploads resume',
  'cache prune',
  'cache verify',
  'registry verify',
  'registry backup',
  'refresh latest',
  'refresh usage',
];

/** Throws `invalid-argument` for a command that nobody wants to be run while nobody looks. */
export function checkSchedulable(name: string): void {
  if (SCHEDULABLE.includes(name)) return;
  throw new GypsumError('invalid-argument', `"gypsum ${name}" cannot be scheduled.`, {
    hint: `These can: ${SCHEDULABLE.join(', ')}.`,
    details: { command: name },
  });
}
