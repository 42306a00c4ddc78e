/**
 * What tells that a file is still the one that was looked at, without reading it.
 *
 * Shape:  [device, inode, size, mtime, ctime]
 * Units:  bytes; milliseconds with fractions
 */
export type Fingerprint = readonly [dev: number, ino: number, size: number, mtime: number, ctime: number];

/** What a file's stats have that a fingerprint is made of. */
interface Stats {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export function fingerprintOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): Fingerprint {
  return [dev, ino, size, mtimeMs, ctimeMs];
}

/** Names an inode. */
export function inodeId({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): string {
  return `${dev} ${ino}`;
}

/** Whether nothing at all was done to a file between two looks. */
export function sameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return sameButCtime(a, b) && a[4] === b[4];
}

/** Whether nothing was written to a file between two looks; its links and permissions may have changed. */
export function sameButCtime(a: Fingerprint, b: Fingerprint): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}
