import { z } from 'zod';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkName } from '../model/names.ts';
import { showText } from '../model/text.ts';
import { route } from '../registry/route.ts';
import type { Uploader } from './create-project.ts';
import { readProjectDocument } from './project-document.ts';

/** Who may do what in a project. */
export interface Permissions {
  /** Users and organisations who may do everything. */
  readonly owners: readonly string[];
  readonly uploaders: readonly Uploader[];
}

export interface SetPermissionsOptions extends CallOptions {
  owners?: readonly string[];
  uploaders?: readonly Uploader[];
  /** Adds to what there is; else each list that is given replaces the one there is. @default true */
  append?: boolean;
}

const wireUploader = z.object({
  id: z.string(),
  asset: z.string().optional(),
  version: z.string().optional(),
  until: z.string().optional(),
  trusted: z.boolean().optional(),
});

const wirePermissions = z.object({ owners: z.array(z.string()), uploaders: z.array(wireUploader) });

/** Gives who may do what in a project. Throws `not-found` without such a project. */
export async function fetchPermissions(ctx: Context, project: string, options: CallOptions = {}): Promise<Permissions> {
  const name = checkName('project', project);
  const what = `Reading the permissions of project "${showText(name)}"`;
  const asked = { key: keys.permissions(name), what, form: wirePermissions };
  const { document } = await readProjectDocument(ctx, name, asked, options);
  return { owners: document.owners, uploaders: document.uploaders.map(uploaderFromWire) };
}

/**
 * Changes who may do what in a project, and gives what holds then; only its owners may.
 *
 * A registry takes whole lists: of two who append at the same moment, one may undo what the other did.
 */
export async function setPermissions(
  ctx: Context,
  project: string,
  { owners, uploaders, append = true, ...options }: SetPermissionsOptions,
): Promise<Permissions> {
  const name = checkName('project', project);
  const before = await fetchPermissions(ctx, name, options);
  const after: Permissions = {
    owners: owners === undefined ? before.owners : [...new Set([...(append ? before.owners : []), ...owners])],
    uploaders: uploaders === undefined ? before.uploaders : [...(append ? before.uploaders : []), ...uploaders],
  };
  await ctx.registry.send(
    {
      what: `Setting the permissions of project "${showText(name)}"`,
      method: 'PUT',
      to: route('permissions', name),
      document: {
        ...(owners !== undefined && { owners: after.owners }),
        ...(uploaders !== undefined && { uploaders: after.uploaders.map(uploaderToWire) }),
      },
    },
    options,
  );
  return after;
}

function uploaderFromWire({ id, asset, version, until, trusted }: z.infer<typeof wireUploader>): Uploader {
  return {
    id,
    ...(asset !== undefined && { asset }),
    ...(version !== undefined && { version }),
    ...(until !== undefined && { until: new Date(until) }),
    ...(trusted !== undefined && { trusted }),
  };
}

function uploaderToWire({ until, ...uploader }: Uploader): z.infer<typeof wireUploader> {
  return { ...uploader, ...(until !== undefined && { until: until.toISOString() }) };
}
