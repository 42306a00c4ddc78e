import type { Fault } from './faults.ts';
import { cachedPermissions } from './oddities/cached-permissions.ts';
import { errorsWithStatus200 } from './oddities/errors-with-status-200.ts';
import { expiringUrls } from './oddities/expiring-urls.ts';
import { latePuts } from './oddities/late-puts.ts';
import { latin1Slugs } from './oddities/latin1-slugs.ts';
import { noExtras } from './oddities/no-extras.ts';
import { oddDates } from './oddities/odd-dates.ts';
import { presignedElsewhere } from './oddities/presigned-elsewhere.ts';
import { racyLock } from './oddities/racy-lock.ts';
import { twiceDecodedPrefix } from './oddities/twice-decoded-prefix.ts';
import { wipesExisting } from './oddities/wipes-existing.ts';
import type { Oddity, World } from './oddities/world.ts';

/**
 * What the public registry does, or may do, otherwise than ours. Each one changes what our own registry answers.
 *
 * Not among them is what clients have to be ready for with ours, too: `complete_url` and `abort_url` that are not
 * encoded, versions in progress that have a manifest, listings that are sorted page by page, links to versions that are
 * gone, and full quotas that have no room for links alone.
 */
export interface Oddities {
  /** A version that exists and is started again is deleted. */
  readonly wipesExisting?: boolean;
  /** Odd slashes in paths, and uploaders that are no text, are refused with status 200 and `status: "error"`. */
  readonly errorsWithStatus200?: boolean;
  /** Slugs are Latin-1 in base64: one with a `/` is not found, and names beyond Latin-1 end a start with status 500. */
  readonly latin1Slugs?: boolean;
  /** No `Range`, no `If-None-Match`, and none of our headers and routes. */
  readonly noExtras?: boolean;
  /** Of uploads to one project that are started at once, each gets a session; the last one's is good. */
  readonly racyLock?: boolean;
  /** Content goes to another origin, which refuses tokens. */
  readonly presignedElsewhere?: boolean;
  /** The first presigned URL of each file has expired. */
  readonly expiringUrls?: boolean;
  /** What is put after the end of a session is stored. */
  readonly latePuts?: boolean;
  /** Permissions are remembered for five minutes, also those of a project that was removed. */
  readonly cachedPermissions?: boolean;
  /** Dates have fractions of six and nine digits, and offsets. */
  readonly oddDates?: boolean;
  /** The prefix of a listing is decoded twice. */
  readonly twiceDecodedPrefix?: boolean;
}

/** The first is the outermost. */
const ODDITIES: Readonly<Record<keyof Oddities, Oddity>> = {
  presignedElsewhere,
  expiringUrls,
  latePuts,
  latin1Slugs,
  noExtras,
  oddDates,
  twiceDecodedPrefix,
  errorsWithStatus200,
  cachedPermissions,
  racyLock,
  wipesExisting,
};

export const ODDITY_NAMES = Object.keys(ODDITIES) as readonly (keyof Oddities)[];

/** Gives what makes a registry odd in these ways: `public` has all of them. */
export function createOddities(oddities: Oddities | 'public', world: World): Fault[] {
  return ODDITY_NAMES.filter((name) => oddities === 'public' || oddities[name] === true).map((name) =>
    ODDITIES[name](world),
  );
}
