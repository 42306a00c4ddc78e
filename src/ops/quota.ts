import { z } from 'zod';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkName } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { route } from '../registry/route.ts';
import { type Quota, quotaToWire } from './create-project.ts';
import { readProjectDocument } from './project-document.ts';

export interface SetQuotaOptions extends CallOptions, Quota {}

/** A quota with what it comes to. Units: bytes */
export interface QuotaNow extends Required<Quota> {
  /** What the project may store this year, by the registry's clock. */
  readonly allowed: number;
}

const wireQuota = z.object({ baseline: z.number(), growth_rate: z.number(), year: z.number() });
const wireUsage = z.object({ total: z.number() });

/** Gives how much a project may store. Throws `not-found` without such a project. */
export async function fetchQuota(ctx: Context, project: string, options: CallOptions = {}): Promise<QuotaNow> {
  const name = checkName('project', project);
  const what = `Reading the quota of project "${showText(name)}"`;
  const asked = { key: keys.quota(name), what, form: wireQuota };
  const { document, date } = await readProjectDocument(ctx, name, asked, options);
  const { baseline, growth_rate: growthRate, year } = document;
  // The registry counts the years, and this machine's clock may be off.
  const thisYear = (date ?? new Date()).getUTCFullYear();
  return { baseline, growthRate, year, allowed: baseline + (thisYear - year) * growthRate };
}

/** Gives how much a project stores. Throws `not-found` without such a project. Units: bytes */
export async function fetchUsage(ctx: Context, project: string, options: CallOptions = {}): Promise<number> {
  const name = checkName('project', project);
  const what = `Reading the usage of project "${showText(name)}"`;
  const { document } = await readProjectDocument(ctx, name, { key: keys.usage(name), what, form: wireUsage }, options);
  return document.total;
}

/** Changes what is given of a project's quota; only administrators may. */
export async function setQuota(ctx: Context, project: string, options: SetQuotaOptions): Promise<void> {
  const { baseline, growthRate, year, ...callOptions } = options;
  const name = checkName('project', project);
  const document = quotaToWire({
    ...(baseline !== undefined && { baseline }),
    ...(growthRate !== undefined && { growthRate }),
    ...(year !== undefined && { year }),
  });
  const what = `Setting the quota of project "${showText(name)}"`;
  await ctx.registry.send({ what, method: 'PUT', to: route('quota', name), document }, callOptions);
}
