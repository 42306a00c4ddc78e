import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** An entry of a folder, to the byte. */
export interface ExactEntry {
  readonly type: 'file' | 'directory' | 'symlink';
  /** The content of a file or the text of a symlink, a character a byte. */
  readonly is: string;
  /** Permissions; of a symlink, nothing. */
  readonly mode: string;
  /** Units: microseconds */
  readonly mtime: bigint;
  /** What a symlink leads to now. */
  readonly leadsTo: 'dir' | 'file' | 'unknown' | '';
}

/** Reads all of a folder but its own file of this name, by path. */
export function readExactTree(root: string, without?: string): Map<string, ExactEntry> {
  const found = new Map<string, ExactEntry>();
  const visit = (path: string): void => {
    const at = join(root, path);
    const stats = lstatSync(at, { bigint: true });
    const type = stats.isSymbolicLink() ? 'symlink' : stats.isDirectory() ? 'directory' : 'file';
    const is =
      type === 'symlink'
        ? readlinkSync(at, 'buffer').toString('latin1')
        : type === 'file'
          ? readFileSync(at, 'latin1')
          : '';
    if (path !== '' && path !== without) {
      found.set(path, {
        type,
        is,
        mode: type === 'symlink' ? '' : (stats.mode & 0o777n).toString(8),
        mtime: stats.mtimeNs / 1000n,
        leadsTo: type === 'symlink' ? leadsTo(at) : '',
      });
    }
    if (type === 'directory') for (const name of readdirSync(at).sort()) visit(path === '' ? name : `${path}/${name}`);
  };
  visit('');
  return found;
}

function leadsTo(link: string): ExactEntry['leadsTo'] {
  try {
    return statSync(link).isDirectory() ? 'dir' : 'file';
  } catch {
    return 'unknown';
  }
}
