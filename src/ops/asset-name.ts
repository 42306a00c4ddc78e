import type { Context } from '../context.ts';
import { formatRef, type Ref } from '../model/refs.ts';

/** What stands before an asset or version where local paths are the rule. */
export const ASSET_PREFIX = 'gypsum:';

/** Gives what an asset or version is called where local paths are the rule. */
export function assetName(ref: Ref): string {
  return `${ASSET_PREFIX}${formatRef(ref)}`;
}

/** Tells an asset or version from those of other registries. */
export function assetId({ registry }: Context, ref: Ref): string {
  return `${assetName(ref)} ${registry.url}`;
}
