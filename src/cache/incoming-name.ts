import { createHash } from 'node:crypto';
import type { Expected } from '../verify-stream.ts';

/** Names what has come so far of a content of a project. */
export function downloadId(project: string, { digest, size }: Expected): string {
  const id = JSON.stringify([project, digest.algorithm, digest.hex, size]);
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

/** Whether a name in `incoming/` is of a content that can be gone on with, also when its process has ended. */
export function isResumable(name: string): boolean {
  return /\.[\da-f]{32}$/.test(name);
}
