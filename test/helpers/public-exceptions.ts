import type { Oddities } from '../../mocks/index.ts';

/** Tests that cannot hold of a registry that is odd in one of the ways; of the other ways they hold. */
export interface Exception {
  readonly file: string;
  /** What the full names of the tests begin with. */
  readonly tests: readonly string[];
  readonly without: readonly (keyof Oddities)[];
  readonly why: string;
}

const COUNTS = 'it counts what is sent, and of each file that is twice where its first URL has expired';

export const EXCEPTIONS: readonly Exception[] = [
  {
    file: 'test/ops/administration.test.ts',
    tests: ['a lock is shown, and released'],
    without: ['noExtras'],
    why: 'who holds a lock, since when, and its release are routes of ours',
  },
  {
    file: 'test/ops/who-am-i.test.ts',
    tests: [
      'whose token it is is what the registry says',
      'whose token it is is nobody’s if the registry, or GitHub',
      'whose token it is is unknown if the answer',
    ],
    without: ['noExtras'],
    why: 'the public registry does not say whose token it is',
  },
  {
    file: 'test/ops/resume-download.test.ts',
    tests: ['a download that breaks off', 'what is left', 'what the registry has', 'a call that is given up'],
    without: ['noExtras'],
    why: 'the public registry gives no part of a file',
  },
  {
    file: 'test/ops/bulk-save.test.ts',
    tests: ['a save of many small files', 'what many files at once', 'a save of many files that is given up'],
    without: ['noExtras'],
    why: 'the public registry does not give many files at once',
  },
  {
    file: 'test/ops/site-cache.test.ts',
    tests: ['a site cache of another registry that was at'],
    without: ['noExtras'],
    why: 'the public registry gives itself no name',
  },
  { file: 'test/ops/clone-modes.test.ts', tests: ['a clone of mode'], without: ['expiringUrls'], why: COUNTS },
  {
    file: 'test/ops/equal-files.test.ts',
    tests: ['equal files of one upload are'],
    without: ['expiringUrls'],
    why: COUNTS,
  },
  {
    file: 'test/ops/equal-files.test.ts',
    tests: ['equal files of one upload are'],
    without: ['latestDedup'],
    why: 'the public registry has equal files of one upload sent each',
  },
  { file: 'test/ops/plan-upload.test.ts', tests: ['a plan is plain data'], without: ['expiringUrls'], why: COUNTS },
  {
    file: 'test/ops/recorded-uploads.test.ts',
    tests: [
      'an upload that could not be',
      'a resume is one at',
      'with a registry with what ours has beside the contract, an interrupted upload is resumed: what',
      'with a registry with the contract alone, as the public one, an interrupted upload is resumed: what',
    ],
    without: ['expiringUrls'],
    why: COUNTS,
  },
  {
    file: 'test/ops/upload-directory.test.ts',
    tests: ['publishing a folder sends of an edited', 'a slow registry gets'],
    without: ['expiringUrls'],
    why: COUNTS,
  },
  {
    file: 'test/ops/upload-directory.test.ts',
    tests: ['publishing a folder makes', 'names with spaces, percent signs and plus signs come through: é'],
    without: ['noExtras', 'latin1Slugs'],
    why: 'its names are beyond Latin-1, under which the public registry takes no file',
  },
  {
    file: 'test/ops/tree-round-trip-random.test.ts',
    tests: [
      'a folder that is put is the version',
      'a folder that is published with a record',
      'what is changed in a clone is published',
    ],
    without: ['noExtras', 'latin1Slugs', 'prototypeNames'],
    why: 'some of its names are beyond Latin-1, or __proto__, under which the public registry takes no file',
  },
  {
    file: 'test/e2e/uploads.test.ts',
    tests: ['gypsum uploads lists a killed'],
    without: ['expiringUrls'],
    why: COUNTS,
  },
];
