import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fingerprintOf } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { applyStep, isRefusedSymlink, isThere, type Means, type Outcome } from './apply-step.ts';
import { createMadeFiles, type MadeFiles } from './made-files.ts';
import { createAhead } from './make-ahead.ts';
import { type PutFile, putFile } from './put-file.ts';
import type { Step } from './step.ts';
import { createWay, type Way } from './way.ts';

export interface ChangeOptions extends CallOptions {
  /** Copy a file where the way that was planned is refused. @default false */
  orCopy?: boolean;
  /** Have a file's bytes on the disk before it takes the place of something else. @default false */
  durable?: boolean;
  /** Keeps what stands at a place before it goes, for steps that want that. */
  keep?: Means['keep'];
  /** Hears of a symlink of the version's own that is refused there; the rest goes on. */
  onRefused?: ((path: string, error: GypsumError) => void) | undefined;
  /** Hears of a step that could not be carried out; the rest goes on. Without it, the first one ends all. */
  onFailure?: (step: Step, error: Error) => void;
  /** @default the real ones */
  put?: PutFile;
}

/** What became of steps. */
export interface Applied {
  /** How many were carried out now. */
  readonly done: number;
  /** How many had been carried out already. */
  readonly there: number;
  /** The files that were made, as they looked then. */
  readonly made: MadeFiles;
}

/**
 * Carries out the steps of a plan in a folder, as far as it goes: what was done stays. It goes on where an earlier run of
 * the same plan has ended. Throws `file-changed` at a step whose path holds neither what was seen nor what is to be
 * there; its `details` say what is done and what is left.
 */
export async function applyChanges(
  root: string,
  steps: readonly Step[],
  { orCopy = false, durable = false, keep, onFailure, onRefused, put = putFile, signal, onEvent }: ChangeOptions = {},
): Promise<Applied> {
  signal?.throwIfAborted();
  const pace = createPace(signal);
  const way = createWay(root);
  const ahead = new Map<Step, string>();
  const means = { put, pace, orCopy, durable, ahead, touched: new Set<string>(), ...(keep !== undefined && { keep }) };
  const group = durable ? createAhead(steps, means, { way, signal }) : undefined;
  const count: Record<Outcome, number> = { done: 0, there: 0, stale: 0 };
  const made = createMadeFiles(steps.length);
  let bytes = 0;
  let reported = 0;
  onEvent?.({ type: 'start', task: 'change', files: steps.length, bytes: bytesOf(steps) });
  const report = (seen: number) => {
    onEvent?.({ type: 'progress', task: 'change', files: seen - reported, bytes });
    reported = seen;
    bytes = 0;
  };
  try {
    for (const [at, step] of steps.entries()) {
      await group?.prepare(at);
      try {
        const place = placeOf(step, way);
        const outcome = place === undefined ? 'there' : await applyStep(place, step, means);
        const isOver = outcome === 'stale' && (await isDoneLater(way.to(step.path), step, steps.slice(at + 1), means));
        if (outcome === 'stale' && !isOver) throw changed(root, step);
        count[isOver ? 'there' : outcome]++;
        if (outcome === 'done' && place !== undefined && step.after?.type === 'file') {
          made.note(at, fingerprintOf(lstatSync(fsPath(place))));
        }
      } catch (error) {
        signal?.throwIfAborted();
        if (onRefused !== undefined && isRefusedSymlink(step, error)) onRefused(step.path, error);
        else if (onFailure === undefined) throw withRest(error, steps, at);
        else onFailure(step, error as Error);
      }
      bytes += sizeOf(step);
      if (pace.due()) {
        report(at + 1);
        await pace.rest();
        way.forget();
      }
    }
  } finally {
    group?.clear();
    way.close();
  }
  report(steps.length);
  onEvent?.({ type: 'end', task: 'change' });
  return { done: count.done, there: count.there, made };
}

/** Gives where a step is to be done; nothing if it takes away what stood in a folder that is a symlink by now. */
function placeOf(step: Step, way: Way): string | undefined {
  try {
    return way.to(step.path);
  } catch (error) {
    if (step.after === undefined && isGypsumError(error, 'file-changed')) return undefined;
    throw error;
  }
}

/** Whether a later step at the same path was carried out by an earlier run, as where a folder becomes a file. */
async function isDoneLater(place: string, { path }: Step, later: readonly Step[], means: Means): Promise<boolean> {
  const after = later.find((step) => step.path === path)?.after;
  return after !== undefined && (await isThere(place, after, means));
}

function bytesOf(steps: readonly Step[]): number {
  return steps.reduce((sum, step) => sum + sizeOf(step), 0);
}

function sizeOf({ after }: Step): number {
  return after?.type === 'file' ? after.size : 0;
}

function changed(root: string, { path }: Step): GypsumError {
  return new GypsumError('file-changed', `${showText(join(root, path))} is not what it was when this was planned.`, {
    hint: 'It was left alone. Say what is to be done once more: it is planned anew.',
    details: { directory: root, path },
  });
}

/** Adds what is done and what is left, as paths. */
function withRest(error: unknown, steps: readonly Step[], at: number): unknown {
  if (!isGypsumError(error, 'file-changed')) return error;
  const paths = steps.map(({ path }) => path);
  const [done, left] = [paths.slice(0, at), paths.slice(at)];
  return new GypsumError('file-changed', `${error.message} ${done.length} of ${steps.length} changes are done.`, {
    ...(error.hint !== undefined && { hint: error.hint }),
    details: { ...error.details, done, left },
    cause: error,
  });
}
