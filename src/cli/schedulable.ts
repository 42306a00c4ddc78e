import { GypsumError } from '../errors.ts';
import type { CalledCommand } from './command.ts';

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

/** Throws `invalid-argument` for a command that nobody wants to be run while nobody looks, or that would never end. */
export function checkSchedulable({ name, options }: CalledCommand): void {
  if ('interval' in options) {
    throw new GypsumError('invalid-argument', `"gypsum ${name} --interval" goes on until it is stopped.`, {
      hint: 'Leave out its --interval: that of the job is enough.',
    });
  }
  if (SCHEDULABLE.includes(name)) return;
  throw new GypsumError('invalid-argument', `"gypsum ${name}" cannot be scheduled.`, {
    hint: `These can: ${SCHEDULABLE.join(', ')}.`,
    details: { command: name },
  });
}
