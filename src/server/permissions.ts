import { z } from 'zod';
import { GypsumError } from '../errors.ts';
import type { AssetRef, VersionRef } from '../model/refs.ts';
import { refuse } from './http.ts';
import type { Principal } from './identity.ts';

const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));

const uploader = z.looseObject({
  id: z.string(),
  asset: z.string().optional(),
  version: z.string().optional(),
  until: time.optional(),
  trusted: z.boolean().optional(),
});

/** `..permissions` as it is on the wire. */
export const wirePermissions = z.object({ owners: z.array(z.string()), uploaders: z.array(uploader) });

const permissionsChange = wirePermissions.partial();

/** `..permissions` of a project. */
export interface Permissions {
  readonly owners: readonly string[];
  readonly uploaders: readonly z.infer<typeof uploader>[];
}

/** Replaces what a request names of some permissions; throws `refused` if it is not of their form. */
export function changePermissions(before: Permissions, change: unknown): Permissions {
  const parsed = permissionsChange.safeParse(change);
  if (!parsed.success) throw refuse(`The permissions are not valid: ${describe(parsed.error)}.`);
  return { owners: parsed.data.owners ?? before.owners, uploaders: parsed.data.uploaders ?? before.uploaders };
}

/** Whether somebody may do everything in a project. */
export function isOwner(who: Principal, { owners }: Permissions): boolean {
  return who.admin || owners.some((owner) => isNamed(owner, who));
}

/**
 * Says whether an upload by `who` is trusted, or throws `forbidden`.
 *
 * Source: the public registry; of several entries that name the same uploader only the first counts
 */
export function checkUploader(who: Principal, permissions: Permissions, ref: VersionRef): { trusted: boolean } {
  if (isOwner(who, permissions)) return { trusted: true };
  const entry = permissions.uploaders.find(({ id }) => isNamed(id, who));
  const allowed =
    entry !== undefined &&
    (entry.asset === undefined || entry.asset === ref.asset) &&
    (entry.version === undefined || entry.version === ref.version) &&
    (entry.until === undefined || Date.parse(entry.until) > Date.now());
  if (!allowed) throw mayNot(who, `upload to ${formatAsset(ref)}`);
  return { trusted: entry.trusted === true };
}

export function mayNot(who: Principal, what: string): GypsumError {
  return new GypsumError('forbidden', `The user "${who.id}" may not ${what}.`, { details: { user: who.id } });
}

/** Says what the first fault of a parsed document is, and where. */
export function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  const path = issue?.path.join('.') ?? '';
  return path === '' ? String(issue?.message) : `"${path}": ${issue?.message}`;
}

function isNamed(id: string, who: Principal): boolean {
  return id === who.id || who.organizations.includes(id);
}

function formatAsset({ project, asset }: AssetRef): string {
  return `project '${project}', asset '${asset}'`;
}
