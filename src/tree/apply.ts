import { lstatSync, mkdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace, type Pace } from '../give-way.ts';
import { type Fingerprint, fingerprintOf, sameContent } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import type { MakeFile, Step } from './plan.ts';
import { freshName, isRefusal, type PutFile, putFile, refusal } from './put-file.ts';
import { readLink } from './scan.ts';

export interface ApplyOptions extends CallOptions {
  /** Copy a file where the way that was planned is refused. @default false */
  orCopy?: boolean;
  /** What must succeed too, given the files that were made as they are now; else all is taken back. */
  finish?: ((made: ReadonlyMap<string, Fingerprint>) => Promise<void>) | undefined;
  /** @default the real ones */
  put?: PutFile;
}

/**
 * Carries out the steps of a plan in a folder. If one fails, or the signal is aborted, those done are taken back, so
 * that the folder is as it was.
 */
export async function applySteps(
  root: string,
  steps: readonly Step[],
  { orCopy = false, finish, put = putFile, signal, onEvent }: ApplyOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const pace = createPace(signal);
  const made = new Map<string, Fingerprint>();
  let done = 0;
  let reported = 0;
  let bytes = 0;
  const report = () => {
    onEvent?.({ type: 'progress', task: 'clone', files: done - reported, bytes });
    reported = done;
    bytes = 0;
  };
  try {
    for (const step of steps) {
      const path = join(root, step.path);
      if (step.type === 'make-directory') mkdirSync(fsPath(path));
      else if (step.type === 'make-symlink') makeSymlink(step.target, path, put);
      else if (step.type === 'change-symlink') changeSymlink(path, step.before, step.target);
      else {
        await makeFile(step, path, orCopy, put, pace);
        made.set(step.path, fingerprintOf(lstatSync(fsPath(path))));
        bytes += step.size;
      }
      done++;
      if (pace.due()) {
        report();
        await pace.rest();
      }
    }
    report();
    await finish?.(made);
  } catch (error) {
    await takeBack(root, steps.slice(0, done), made);
    throw error;
  }
}

function makeSymlink(target: string, path: string, put: PutFile): void {
  try {
    put.symlink(target, path);
  } catch (error) {
    throw isRefusal('symlink', error) ? refusal('symlink', target, path, error) : error;
  }
}

async function makeFile(step: MakeFile, path: string, orCopy: boolean, put: PutFile, pace: Pace): Promise<void> {
  if (step.mode !== 'copy') {
    try {
      return put[step.mode](step.source, path);
    } catch (error) {
      if (!isRefusal(step.mode, error)) throw error;
      if (!orCopy) throw refusal(step.mode, step.source, path, error);
    }
  }
  await put.copy(step.source, path, step, pace);
}

/** Has a symlink lead elsewhere, at once; leaves alone what is another one by now. */
function changeSymlink(path: string, before: string, target: string): void {
  if (readLink(path) !== before) return;
  const fresh = freshName(dirname(path));
  symlinkSync(fsPath(target), fsPath(fresh), 'file');
  try {
    renameSync(fsPath(fresh), fsPath(path));
  } catch (error) {
    unlinkSync(fsPath(fresh));
    throw error;
  }
}

async function takeBack(root: string, steps: readonly Step[], made: ReadonlyMap<string, Fingerprint>): Promise<void> {
  const pace = createPace();
  for (const step of steps.toReversed()) {
    const path = join(root, step.path);
    try {
      if (step.type === 'make-directory') rmdirSync(fsPath(path));
      else if (step.type === 'make-symlink') {
        if (readLink(path) === step.target) unlinkSync(fsPath(path));
      } else if (step.type === 'change-symlink') changeSymlink(path, step.target, step.before);
      else if (isAsMade(path, made.get(step.path))) unlinkSync(fsPath(path));
    } catch (error) {
      // Somebody else has put a file there, or taken ours away: theirs to keep.
      if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EINVAL')) throw error;
    }
    if (pace.due()) await pace.rest();
  }
}

function isAsMade(path: string, made: Fingerprint | undefined): boolean {
  return made !== undefined && sameContent(fingerprintOf(lstatSync(fsPath(path))), made);
}
