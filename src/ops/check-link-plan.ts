import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { GypsumError } from '../errors.ts';
import { inodeId } from '../model/fingerprint.ts';
import { showText } from '../model/text.ts';
import { localPath, stepSchema } from '../tree/parse-steps.ts';
import type { Step } from '../tree/step.ts';
import { linkText } from './judge-link.ts';
import { isRemoval } from './leftovers.ts';
import { LINK_STATES, type LinkPlan } from './link-plan.ts';

const folder = z.string().refine((path) => isAbsolute(path) && !path.includes('\0'), 'is not an absolute path');

const linkPlan = z.object({
  source: folder,
  destination: folder,
  linkType: z.enum(['relative', 'absolute']),
  protect: z.boolean().exactOptional(),
  createDst: z.boolean(),
  stopped: z.boolean(),
  files: z.array(
    z.object({
      path: localPath,
      state: z.enum(LINK_STATES),
      target: z.string().exactOptional(),
      message: z.string().exactOptional(),
    }),
  ),
  steps: z.array(stepSchema),
});

/** Returns a plan, also one that was kept as JSON, or throws `invalid-argument` saying what of it cannot be right. */
export function checkLinkPlan(value: unknown): LinkPlan {
  const parsed = linkPlan.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'it' : `"${issue.path.join('.')}"`;
    throw noPlan(`${where}: ${issue?.message}`, parsed.error);
  }
  for (const step of parsed.data.steps) {
    const fault = faultOf(step, parsed.data);
    if (fault !== undefined) throw noPlan(`what is to be done at "${showText(step.path)}" ${fault}`);
  }
  return parsed.data;
}

/** Says why linking two folders would never do this, as the end of a sentence. */
function faultOf(step: Step, plan: LinkPlan): string | undefined {
  const { path, before, after, keep } = step;
  if (isRemoval(step)) return undefined;
  if (after?.type === 'directory' && plan.createDst) return undefined;
  if (after?.type !== 'symlink' || after.seen === undefined || keep === true) return 'puts no link there';
  if (after.target !== linkText(plan, path, plan.linkType)) return 'leads to another file than that of the source';
  if (before === undefined) return plan.createDst ? undefined : 'makes what was not there';
  if (before.type !== 'file') return undefined;
  const [dev, ino] = after.seen;
  const [ownDev, ownIno] = before.seen;
  return inodeId({ dev, ino }) === inodeId({ dev: ownDev, ino: ownIno }) ? 'links a file to itself' : undefined;
}

function noPlan(why: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-argument', `This is not the plan of linking two folders: ${why}.`, {
    hint: 'Have it made by "gypsum link --dry-run --json" (in programs: planLinking), and leave it as it is.',
    cause,
  });
}
