import type { CallOptions } from '../events.ts';
import { applyChanges } from '../tree/apply-changes.ts';
import type { Step } from '../tree/step.ts';

export interface AppliedEach {
  /** Why steps failed, by their paths. */
  readonly failures: ReadonlyMap<string, string>;
  /** How many steps were tried: all, unless a failure was to be the end. */
  readonly tried: number;
}

/** Carries out steps in a folder, each for itself: one that fails keeps none of the others from it, unless it is told to. */
export async function applyEach(
  root: string,
  steps: readonly Step[],
  { failFast, durable = false, ...call }: CallOptions & { failFast: boolean; durable?: boolean },
): Promise<AppliedEach> {
  const failures = new Map<string, string>();
  const enough = new Error('a step has failed');
  let last: Step | undefined;
  try {
    await applyChanges(root, steps, {
      ...call,
      durable,
      orCopy: true,
      onFailure(step, error) {
        failures.set(step.path, error.message);
        if (!failFast) return;
        last = step;
        throw enough;
      },
    });
  } catch (error) {
    if (error !== enough) throw error;
  }
  return { failures, tried: last === undefined ? steps.length : steps.indexOf(last) + 1 };
}
