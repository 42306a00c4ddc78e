import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { checkName } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { wasNotProcessed } from '../registry/failures.ts';

/** Who may upload besides the owners. */
export interface Uploader {
  /** A user or an organisation. */
  readonly id: string;
  /** Only this asset. @default any */
  readonly asset?: string;
  /** Only this version. @default any */
  readonly version?: string;
  /** Not after this time. @default for ever */
  readonly until?: Date;
  /** What they upload is official at once, not on probation. @default false */
  readonly trusted?: boolean;
}

/** How much a project may store: `baseline` and `growthRate` for each year since `year`. */
export interface Quota {
  /** Units: bytes */
  readonly baseline?: number;
  /** Units: bytes per year */
  readonly growthRate?: number;
  readonly year?: number;
}

export interface CreateProjectOptions extends CallOptions {
  owners?: readonly string[];
  uploaders?: readonly Uploader[];
  /** @default the registry's */
  quota?: Quota;
}

/** Creates a project; only administrators may. Throws `refused` if it exists already. */
export async function createProject(ctx: Context, project: string, options: CreateProjectOptions = {}): Promise<void> {
  const { owners, uploaders, quota, ...callOptions } = options;
  const name = checkName('project', project);
  const permissions = { ...(owners && { owners }), ...(uploaders && { uploaders }) };
  await ctx.registry.send(
    {
      what: `Creating the project "${showText(name)}"`,
      method: 'POST',
      shouldRetry: wasNotProcessed,
      to: `/create/${encodeURIComponent(name)}`,
      document: {
        ...(owners || uploaders ? { permissions } : {}),
        ...(quota && { quota: quotaToWire(quota) }),
      },
    },
    callOptions,
  );
}

export function quotaToWire({ baseline, growthRate, year }: Quota): Record<string, number> {
  return {
    ...(baseline !== undefined && { baseline }),
    ...(growthRate !== undefined && { growth_rate: growthRate }),
    ...(year !== undefined && { year }),
  };
}
