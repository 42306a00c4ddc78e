import { mkdirSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import type { Step } from './plan.ts';
import { readLink } from './scan.ts';

/**
 * Carries out the steps of a plan in a folder. If one fails, or the signal is aborted, those done are taken back, so
 * that the folder is as it was.
 */
export async function applySteps(
  root: string,
  steps: readonly Step[],
  { signal, onEvent }: CallOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const pace = createPace(signal);
  let done = 0;
  let reported = 0;
  const report = () => {
    onEvent?.({ type: 'progress', task: 'clone', files: done - reported, bytes: 0 });
    reported = done;
  };
  try {
    for (const step of steps) {
      const path = fsPath(join(root, step.path));
      if (step.type === 'make-directory') mkdirSync(path);
      else symlinkSync(fsPath(step.target), path, 'file');
      done++;
      if (pace.due()) {
        report();
        await pace.rest();
      }
    }
    report();
  } catch (error) {
    await takeBack(root, steps.slice(0, done));
    throw error;
  }
}

async function takeBack(root: string, steps: readonly Step[]): Promise<void> {
  const pace = createPace();
  for (const step of steps.toReversed()) {
    const path = join(root, step.path);
    try {
      if (step.type === 'make-directory') rmdirSync(fsPath(path));
      else if (readLink(path) === step.target) unlinkSync(fsPath(path));
    } catch (error) {
      // Somebody else has put a file there, or taken ours away: theirs to keep.
      if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EINVAL')) throw error;
    }
    if (pace.due()) await pace.rest();
  }
}
