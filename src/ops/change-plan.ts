import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { GypsumError, isGypsumError } from '../errors.ts';
import { CLONE_MODES, type CloneMode } from '../model/clone-mode.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import { stepSchema } from '../tree/parse-steps.ts';
import { LEFT_STATES, type LeftPath } from '../tree/standing.ts';
import type { Step } from '../tree/step.ts';

const VERBS = ['stage', 'restore', 'checkout'] as const;

/**
 * What is to be changed in a clone. It is plain data: it can be printed, kept as JSON and carried out later by
 * `applyChangePlan`.
 */
export interface ChangePlan extends VersionRef {
  readonly verb: (typeof VERBS)[number];
  /** The real path of the clone. */
  readonly directory: string;
  readonly mode: CloneMode;
  /** The version that the clone is of, where it is to be of another one then. */
  readonly from?: VersionRef;
  readonly steps: readonly Step[];
  /** Files that stay as they are though the version has something else there, and what nobody may touch. */
  readonly left: readonly LeftPath[];
  /** Links among them that were edited through, which a plan leaves and `restoreFiles` takes back, if that is forced. */
  readonly edits?: readonly string[];
  /** How many files are as they must be. */
  readonly unchanged: number;
  /** Paths of links whose content is to be in the cache then; others may dangle. */
  readonly fetch: readonly string[];
}

const version = z.object({ project: z.string(), asset: z.string(), version: z.string() });

const planSchema: z.ZodType<ChangePlan> = version.extend({
  verb: z.enum(VERBS),
  directory: z.string().refine((path) => isAbsolute(path) && !path.includes('\0'), 'is not an absolute path'),
  mode: z.enum(CLONE_MODES),
  from: version.exactOptional(),
  steps: z.array(stepSchema),
  left: z.array(z.object({ path: z.string(), state: z.enum(LEFT_STATES), conflict: z.literal(true).exactOptional() })),
  edits: z.array(z.string()).exactOptional(),
  unchanged: z.number().int().min(0),
  fetch: z.array(z.string()),
});

/** Returns a plan, also one that was kept as JSON, or throws `invalid-argument` saying what of it cannot be right. */
export function checkChangePlan(value: unknown): ChangePlan {
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw noPlan(`${issue?.path.join('.') || 'it'}: ${issue?.message}`, parsed.error);
  }
  try {
    checkVersionRef(parsed.data);
    if (parsed.data.from !== undefined) checkVersionRef(parsed.data.from);
  } catch (error) {
    if (isGypsumError(error)) throw noPlan(error.message, error);
    throw error;
  }
  return parsed.data;
}

export function noPlan(why: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-argument', `This is not the plan of a change in a clone: ${why}.`, {
    hint: 'Have it made by "gypsum stage", "restore" or "checkout" with "--dry-run --json" (in programs: planStage, planRestore, planCheckout), and leave it as it is.',
    cause,
  });
}
