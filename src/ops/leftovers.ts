import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprintOf } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import type { Entry } from '../model/tree.ts';
import { isLeftover } from '../tree/put-file.ts';
import type { Before, Step } from '../tree/step.ts';

/** Gives the step that takes an entry of a folder away, if it is a file or link that a killed process has left. */
export function removalOf(entry: Entry | undefined, root: string): Step[] {
  if (entry === undefined || !isLeftover(entry.path)) return [];
  const before = beforeOf(entry, root);
  return before === undefined ? [] : [{ path: entry.path, before }];
}

/** Whether a step is such a one. */
export function isRemoval({ path, before, after }: Step): boolean {
  return after === undefined && before?.type !== 'directory' && isLeftover(path);
}

function beforeOf(entry: Entry, root: string): Before | undefined {
  if (entry.type === 'symlink') return { type: 'symlink', target: entry.target };
  const stats =
    entry.type === 'file' ? lstatSync(fsPath(join(root, entry.path)), { throwIfNoEntry: false }) : undefined;
  return stats === undefined ? undefined : { type: 'file', seen: fingerprintOf(stats) };
}
