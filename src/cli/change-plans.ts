import { GypsumError } from '../errors.ts';
import type { ChangeResult } from '../ops/apply-change-plan.ts';
import { type ChangePlan, checkChangePlan, noPlan } from '../ops/change-plan.ts';
import type { Call, Flag } from './command.ts';
import { readPlanFile } from './read-plan-file.ts';

/** How changes in a clone are planned and carried out, for each command that does it. */
export interface PlanFlags {
  dryRun?: boolean;
  plan?: string;
}

export const planFlags: readonly Flag[] = [
  { flags: '--dry-run', description: 'show what would be done, and do nothing' },
  { flags: '--plan <file>', description: 'do what "--dry-run --json" has written to a file, and nothing else' },
];

/** Carries out a plan from a file; throws `invalid-argument` if it is none of this command, or anything is asked for beside it. */
export async function applyPlanFile(
  { args, client, options, signal, onEvent }: Call<PlanFlags>,
  file: string,
  verb: ChangePlan['verb'],
): Promise<ChangeResult> {
  if (args.length > 0 || isMoreGiven(options, ['plan'])) {
    throw new GypsumError('invalid-argument', 'A plan says already what is to be done.', {
      hint: 'Give nothing beside "--plan".',
    });
  }
  const plan = await readPlanFile(file, `gypsum ${verb} … --dry-run --json`, (value) => {
    const kept = checkChangePlan(value);
    if (kept.verb !== verb) throw noPlan(`it is one for "gypsum ${kept.verb}"`);
    return kept;
  });
  return client().applyChangePlan(plan, { signal, onEvent });
}

/** Whether any other flag than some is given; `--no-download` is on unless it is given. */
export function isMoreGiven(options: object, names: readonly string[]): boolean {
  return Object.entries(options).some(([name, value]) => !names.includes(name) && !(name === 'download' && value));
}

/** Which files of a clone are meant. */
export interface PathFlags {
  all?: boolean;
  glob?: readonly string[];
}

export const pathFlags: readonly Flag[] = [
  { flags: '--all', description: 'all of the clone in the current folder, or in the one that is named' },
  {
    flags: '--glob <pattern>',
    description: 'files of that clone that match, such as "**/*.csv"; may be given again',
    many: true,
  },
];

/** Gives the paths that are meant, or that say in which clone, and how. */
export function meantBy(args: readonly string[], { all, glob }: PathFlags) {
  const paths = args.length === 0 && (all || glob !== undefined) ? ['.'] : args;
  return { paths, selection: { ...(all && { all }), ...(glob !== undefined && { globs: glob }) } };
}
