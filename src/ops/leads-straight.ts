import { dirname, resolve } from 'node:path';
import { parseBucketText } from '../cache/bucket-text.ts';
import type { Buckets } from './watch-buckets.ts';

/**
 * Whether the text of a symlink at a real path names a file in a cache by itself, and not by way of another symlink: then it is a
 * link of a clone, and else a symlink that somebody has made, or that a version has.
 */
export function leadsStraight(place: string, text: string, buckets: Buckets): boolean {
  return parseBucketText(text).length > 0 || buckets.holds(resolve(dirname(place), text));
}
