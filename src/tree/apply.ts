import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { type GypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { type Fingerprint, fingerprintOf, sameButCtime } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { applyStep, isRefusedSymlink, makeAt, type Outcome } from './apply-step.ts';
import { areMany, type LinkStep, makeLinks } from './make-links.ts';
import { isNear } from './places.ts';
import { type PutFile, putFile } from './put-file.ts';
import { readLink } from './scan.ts';
import { type ChangeSymlink, type FillSymlink, isOwnSymlink, type MakeStep, type SeenFile } from './step.ts';
import { createWay, type Way } from './way.ts';

export interface ApplyOptions extends CallOptions {
  /** Copy a file where the way that was planned is refused. @default false */
  orCopy?: boolean;
  /** What must succeed too, given the files that were made as they are now; else all is taken back. */
  finish?: ((made: ReadonlyMap<string, Fingerprint>) => Promise<void>) | undefined;
  /** Hears of a symlink of the version's own that is refused there; the rest goes on. Without it, the first one ends all. */
  onRefused?: ((path: string, error: GypsumError) => void) | undefined;
  /** @default the real ones */
  put?: PutFile;
}

/** A step that can be taken back. */
export type RevocableStep = MakeStep | FillSymlink | ChangeSymlink;

/**
 * Carries out the steps of a plan in a folder. If one fails, or the signal is aborted, those done are taken back, so
 * that the folder is as it was. A symlink that leads elsewhere by now is left alone.
 */
export async function applySteps(
  root: string,
  steps: readonly RevocableStep[],
  { orCopy = false, finish, onRefused, put = putFile, signal, onEvent }: ApplyOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const pace = createPace(signal);
  const way = createWay(root);
  const means = { put, pace, orCopy, touched: new Set<string>() };
  const made = new Map<string, Fingerprint>();
  const done: RevocableStep[] = [];
  let seen = 0;
  let reported = 0;
  let bytes = 0;
  const report = () => {
    onEvent?.({ type: 'progress', task: 'clone', files: seen - reported, bytes });
    reported = seen;
    bytes = 0;
  };
  const isDone = (step: RevocableStep) => {
    done.push(step);
    seen++;
  };
  const pause = async () => {
    report();
    await pace.rest();
    way.forget();
  };
  const isLink = (step: RevocableStep): step is LinkStep => put === putFile && isPlainLink(root, step);
  const links = steps.filter(isLink);
  const areShared = areMany(links);
  try {
    for (const step of areShared ? steps.filter((one) => !isLink(one)) : steps) {
      const place = way.to(step.path);
      let outcome: Outcome = 'done';
      try {
        if (step.before !== undefined) outcome = await applyStep(place, step, means);
        else await makeAt(place, step.after, means);
      } catch (error) {
        if (onRefused === undefined || !isRefusedSymlink(step, error)) throw error;
        onRefused(step.path, error);
        outcome = 'stale';
      }
      if (step.after.type === 'file' && outcome !== 'stale') {
        made.set(step.path, fingerprintOf(lstatSync(fsPath(place))));
        bytes += step.after.size;
      }
      if (outcome === 'done') isDone(step);
      else seen++;
      if (pace.due()) await pause();
    }
    if (areShared) {
      const make = (step: LinkStep) => makeAt(way.to(step.path), step.after, means);
      await makeLinks(way, links, { make, note: isDone, isDue: pace.due, pause });
    }
    report();
    await finish?.(made);
  } catch (error) {
    way.forget();
    await takeBack(way, done, made, means.touched);
    throw error;
  } finally {
    way.close();
  }
}

/** Whether a step makes a link that is no version's own, at a path that stays as it is. */
function isPlainLink(root: string, { path, before, after }: RevocableStep): boolean {
  return before === undefined && after.type === 'symlink' && !isOwnSymlink(after) && isNear(root, path);
}

async function takeBack(
  way: Way,
  steps: readonly RevocableStep[],
  made: ReadonlyMap<string, Fingerprint>,
  touched: Set<string>,
): Promise<void> {
  const pace = createPace();
  const means = { put: putFile, pace, orCopy: false, touched };
  for (const step of steps.toReversed()) {
    try {
      const place = way.to(step.path);
      const { path, before, after } = step;
      if (before !== undefined) {
        const now = after.type === 'file' ? asMade(path, made) : after;
        await applyStep(place, { path, before: now, after: before }, means);
      } else if (after.type === 'directory') rmdirSync(fsPath(place));
      else if (after.type === 'symlink') {
        if (readLink(place) === after.target) unlinkSync(fsPath(place));
      } else if (isAsMade(place, made.get(path))) unlinkSync(fsPath(place));
    } catch (error) {
      // Somebody else has put a file there, or taken ours away: theirs to keep.
      if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EINVAL')) throw error;
    }
    if (pace.due()) {
      await pace.rest();
      way.forget();
    }
  }
}

function asMade(path: string, made: ReadonlyMap<string, Fingerprint>): SeenFile {
  const seen = made.get(path);
  if (seen === undefined) throw new Error(`it is not known how ${path} was made`);
  return { type: 'file', seen };
}

function isAsMade(path: string, made: Fingerprint | undefined): boolean {
  return made !== undefined && sameButCtime(fingerprintOf(lstatSync(fsPath(path))), made);
}
