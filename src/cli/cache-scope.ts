import { parseScope } from '../model/refs.ts';
import type { CacheScope } from '../ops/versions-in-scopes.ts';
import { isLocal } from './is-local.ts';

/** Reads a part of the cache: a project, an asset or a version, or the folder of a clone for what that is about. */
export function parseCacheScope(text: string): CacheScope {
  return isLocal(text) ? { clone: text } : parseScope(text);
}
