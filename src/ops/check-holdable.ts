import { GypsumError } from '../errors.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { showLines, showText } from '../model/text.ts';
import { windowsFault } from '../model/windows-names.ts';

/** How many names a message shows; `details` has all. */
const NAMED = 5;

/** Throws `destination-refused` if files of a version have names that this system cannot hold. */
export function checkHoldable(ref: VersionRef, paths: Iterable<string>, platform: string = process.platform): void {
  if (platform !== 'win32') return;
  const faults: string[] = [];
  for (const path of paths) {
    const fault = windowsFault(path);
    if (fault !== undefined) faults.push(`${showText(path)} ${fault}`);
  }
  if (faults.length === 0) return;
  throw new GypsumError(
    'destination-refused',
    `${formatRef(ref)} has files that Windows cannot hold:${showLines(faults, NAMED)}`,
    {
      hint: 'Use another system for this version, such as the Windows Subsystem for Linux.',
      details: { ...ref, faults },
    },
  );
}
