import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CallOptions } from '../events.ts';
import { fingerprintOf } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { type Entry, joinPath } from '../model/tree.ts';
import { applyChanges } from '../tree/apply-changes.ts';
import { isLeftover } from '../tree/put-file.ts';
import type { Before, Step } from '../tree/step.ts';
import { entryAt } from './entries-at.ts';

/** Gives what killed processes have left in a folder below another one, but for folders. */
export function leftoversIn(root: string, folder: string): Entry[] {
  const names = readdirSync(fsPath(join(root, folder)), 'utf8').filter(isLeftover);
  return names.flatMap((name) => entryAt(root, joinPath(folder, name)) ?? []);
}

/** Gives the step that takes an entry of a folder away, if it is a file or link that a killed process has left. */
export function removalOf(entry: Entry | undefined, root: string): Step[] {
  if (entry === undefined || !isLeftover(entry.path)) return [];
  const before = beforeOf(entry, root);
  return before === undefined ? [] : [{ path: entry.path, before }];
}

/** Takes away what killed processes have left among what was found in a folder. */
export async function removeLeftovers(root: string, found: readonly Entry[], { signal }: CallOptions): Promise<void> {
  const steps = found.flatMap((entry) => removalOf(entry, root));
  if (steps.length > 0) await applyChanges(root, steps, { signal });
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
