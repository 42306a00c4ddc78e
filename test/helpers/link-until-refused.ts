import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../../src/errors.ts';

/** Links a file until its file system refuses; nothing if it does not. */
export function linkUntilRefused(source: string): number | undefined {
  mkdirSync(`${source}.links`);
  for (let count = 1; count < 70_000; count++) {
    try {
      linkSync(source, join(`${source}.links`, String(count)));
    } catch (error) {
      if (isSystemError(error, 'EMLINK')) return count;
      throw error;
    }
  }
  return undefined;
}
