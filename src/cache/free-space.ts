import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { GypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';

const FREE_CACHE =
  'Free some ("gypsum cache prune" may help), or choose a cache on another disk (--cache), and run the same again.';

/** What the bytes are for, and what can be done if there are too few. */
export interface Need {
  /** @default 'are to be fetched' */
  readonly why?: string;
  readonly hint?: string;
}

/**
 * Throws `no-space` if the disk of a folder has not so many bytes left for `what`. One that does not say is believed to
 * have enough.
 */
export async function checkFreeSpace(
  folder: string,
  needed: number,
  what: string,
  { why = 'are to be fetched', hint = FREE_CACHE }: Need = {},
): Promise<void> {
  const free = needed === 0 ? undefined : await freeSpace(folder);
  if (free === undefined || needed <= free) return;
  throw new GypsumError(
    'no-space',
    `There is no space left for ${what}: ${prettyBytes(needed)} ${why}, and the disk of ${showText(folder)} has ${prettyBytes(free)} free.`,
    {
      hint,
      details: { folder, needed, free },
    },
  );
}

/** Whether the disk of a folder has so many bytes left, as far as it says. */
export async function hasRoom(folder: string, needed: number): Promise<boolean> {
  const free = await freeSpace(folder);
  return free === undefined || needed <= free;
}

/** Units: bytes, of those that are not kept for root */
async function freeSpace(folder: string): Promise<number | undefined> {
  try {
    const { bsize, blocks, bavail } = await statfs(folder);
    return blocks === 0 ? undefined : bsize * bavail;
  } catch (error) {
    if (isSystemError(error, 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}
