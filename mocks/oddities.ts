import type { Fault } from './faults.ts';
import { anyProjectName } from './oddities/any-project-name.ts';
import { cachedPermissions } from './oddities/cached-permissions.ts';
import { countedPuts } from './oddities/counted-puts.ts';
import { errorsWithStatus200 } from './oddities/errors-with-status-200.ts';
import { expiringUrls } from './oddities/expiring-urls.ts';
import { failsOnOddKeys } from './oddities/fails-on-odd-keys.ts';
import { failsWithoutProject } from './oddities/fails-without-project.ts';
import { latePuts } from './oddities/late-puts.ts';
import { lateSizeCheck } from './oddities/late-size-check.ts';
import { latestDedup } from './oddities/latest-dedup.ts';
import { latin1Slugs } from './oddities/latin1-slugs.ts';
import { linksAsSent } from './oddities/links-as-sent.ts';
import { noExtras } from './oddities/no-extras.ts';
import { oddDates } from './oddities/odd-dates.ts';
import { presignedElsewhere } from './oddities/presigned-elsewhere.ts';
import { prototypeNames } from './oddities/prototype-names.ts';
import { racyLock } from './oddities/racy-lock.ts';
import { twiceDecodedPrefix } from './oddities/twice-decoded-prefix.ts';
import { uncheckedDigests } from './oddities/unchecked-digests.ts';
import { unfinishedLatest } from './oddities/unfinished-latest.ts';
import { unsignedSlugs } from './oddities/unsigned-slugs.ts';
import { usageByObjects } from './oddities/usage-by-objects.ts';
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
  /** Slugs are not signed: a session can put anything in its version, also what is the registry's own. */
  readonly unsignedSlugs?: boolean;
  /** Content without a `Content-Length` is refused, also where there is none of it. */
  readonly countedPuts?: boolean;
  /** Content of another size than was announced is refused at the completion, not when it is put. */
  readonly lateSizeCheck?: boolean;
  /** Equal files of one upload are all sent; and what the latest version has becomes a link, also to what is gone. */
  readonly latestDedup?: boolean;
  /** A link to `toString` is taken for one to a file, and a file called `__proto__` vanishes from the manifest. */
  readonly prototypeNames?: boolean;
  /** Links are stored with all that they were sent with, also a forged `ancestor`. */
  readonly linksAsSent?: boolean;
  /** An MD5 of any form is taken at the start, and fails with status 500 when the file is to be sent. */
  readonly uncheckedDigests?: boolean;
  /** Refreshing the latest version may find an unfinished one, or fail with status 500 where stray files are. */
  readonly unfinishedLatest?: boolean;
  /** Removing an upload that was never completed subtracts from the usage what was never added. */
  readonly usageByObjects?: boolean;
  /** Keys of more than 1,024 bytes, and a `%` that stands for no character, end with status 500. */
  readonly failsOnOddKeys?: boolean;
  /** Removing from a project that does not exist ends with status 500. */
  readonly failsWithoutProject?: boolean;
  /** Projects are made under names that begin with `..` or hold a backslash. */
  readonly anyProjectName?: boolean;
}

/** The first is the outermost. */
const ODDITIES: Readonly<Record<keyof Oddities, Oddity>> = {
  presignedElsewhere,
  errorsWithStatus200,
  countedPuts,
  expiringUrls,
  latePuts,
  lateSizeCheck,
  latin1Slugs,
  unsignedSlugs,
  noExtras,
  oddDates,
  twiceDecodedPrefix,
  failsOnOddKeys,
  failsWithoutProject,
  cachedPermissions,
  racyLock,
  wipesExisting,
  anyProjectName,
  unfinishedLatest,
  usageByObjects,
  latestDedup,
  prototypeNames,
  linksAsSent,
  uncheckedDigests,
};

export const ODDITY_NAMES = Object.keys(ODDITIES) as readonly (keyof Oddities)[];

/** Gives what makes a registry odd in these ways: `public` has all of them. */
export function createOddities(oddities: Oddities | 'public', world: World): Fault[] {
  return ODDITY_NAMES.filter((name) => oddities === 'public' || oddities[name] === true).map((name) =>
    ODDITIES[name](world),
  );
}
