import { closeSync, fchmodSync, fstatSync, openSync, type Stats, writeSync } from 'node:fs';
import { READ_ONLY } from './atomic.ts';

/**
 * Writes a small file of the cache, and gives its stats. A stream for each of 10,000 files of 1 to 4 KiB made a save take
 * half as much processor time again.
 */
export function writeAtOnce(path: string, content: Uint8Array): Stats {
  const file = openSync(path, 'w', 0o600);
  try {
    for (let at = 0; at < content.length; ) at += writeSync(file, content, at);
    fchmodSync(file, READ_ONLY);
    return fstatSync(file);
  } finally {
    closeSync(file);
  }
}
