import { randomUUID } from 'node:crypto';
import { constants, copyFileSync, linkSync, lstatSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GypsumError, isSystemError } from '../errors.ts';
import { fingerprintOf, sameButCtime } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { makeCacheFolder } from './folders.ts';
import type { Layout } from './layout.ts';

/** A folder of the cache for what one call replaces, until somebody prunes the cache. */
export interface Trash {
  readonly folder: string;
  /** Keeps the file or symlink that stands at a place, which stays there too; it does not pause in between. */
  keep(place: string, path: string): void;
}

/** Names such a folder; it is made with the first thing that is kept. */
export function openTrash(layout: Layout): Trash {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const folder = layout.trashed(`${time}-${randomUUID().slice(0, 8)}`);
  return {
    folder,
    keep(place, path) {
      const target = join(folder, path);
      makeCacheFolder(layout, dirname(target));
      if (lstatSync(fsPath(place)).isSymbolicLink()) symlinkSync(readlinkSync(fsPath(place), 'buffer'), fsPath(target));
      else keepFile(place, target);
    },
  };
}

function keepFile(place: string, target: string): void {
  try {
    // It is the file itself: whoever writes to it still writes there.
    linkSync(fsPath(place), fsPath(target));
    return;
  } catch (error) {
    if (!isSystemError(error, ...LINK_REFUSED)) throw error;
  }
  const before = fingerprintOf(lstatSync(fsPath(place)));
  copyFileSync(fsPath(place), fsPath(target), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  if (sameButCtime(before, fingerprintOf(lstatSync(fsPath(place))))) return;
  throw new GypsumError('file-changed', `${showText(place)} was written to while it was kept.`, {
    hint: 'It was left alone. Wait until nobody writes to it, and do it again.',
    details: { path: place, kept: target },
  });
}

// EPERM: another user's file under protected_hardlinks, or a file system without links. EXDEV: another file system.
const LINK_REFUSED = ['EPERM', 'EXDEV', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'UNKNOWN'];
