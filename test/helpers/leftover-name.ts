import { ownedName } from '../../src/owned-name.ts';

/** A name of something short-lived in a folder, left by a process that is not there any more. */
export function leftoverName(): string {
  // More than Linux gives to any process.
  return `..gypsum-${ownedName().replace(/^\d+\.\d*/, '999999999.')}`;
}
