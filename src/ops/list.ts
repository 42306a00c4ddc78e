import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { checkName, nameFault } from '../model/names.ts';
import { type AssetRef, checkVersionRef, type VersionRef } from '../model/refs.ts';

export interface ListFilesOptions extends CallOptions {
  /** Only files whose path begins with this text. */
  prefix?: string;
  /** List the registry's own files too, such as `..manifest`. @default false */
  includeInternal?: boolean;
}

/** Lists the projects of the registry. */
export async function listProjects(ctx: Context, options: CallOptions = {}): Promise<string[]> {
  return listFolders(ctx, '', options);
}

/** Lists the assets of a project; none for a project that does not exist. */
export async function listAssets(ctx: Context, project: string, options: CallOptions = {}): Promise<string[]> {
  return listFolders(ctx, keys.project(checkName('project', project)), options);
}

/** Lists the versions of an asset, also those on probation or not finished; none for an asset that does not exist. */
export async function listVersions(
  ctx: Context,
  { project, asset }: AssetRef,
  options: CallOptions = {},
): Promise<string[]> {
  const prefix = keys.asset({ project: checkName('project', project), asset: checkName('asset', asset) });
  return listFolders(ctx, prefix, options);
}

/** Lists the paths of the files that are stored for a version: linked files are another version's and not among them. */
export async function listFiles(ctx: Context, ref: VersionRef, options: ListFilesOptions = {}): Promise<string[]> {
  const { prefix = '', includeInternal = false, ...callOptions } = options;
  const version = keys.version(checkVersionRef(ref));
  const listed = await ctx.registry.list(version + prefix, { ...callOptions, recursive: true });
  const paths = listed.filter((key) => key.startsWith(version)).map((key) => key.slice(version.length));
  return includeInternal ? paths : paths.filter((path) => !path.slice(path.lastIndexOf('/') + 1).startsWith('..'));
}

/** Gives the names that a ref can have; registries may hold others, which no request can be made for. */
async function listFolders(ctx: Context, prefix: string, options: CallOptions): Promise<string[]> {
  const listed = await ctx.registry.list(prefix, options);
  return listed
    .filter((key) => key.startsWith(prefix) && key.endsWith('/'))
    .map((key) => key.slice(prefix.length, -1))
    .filter((name) => nameFault(name) === undefined);
}
