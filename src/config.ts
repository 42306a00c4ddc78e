import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';

/** The registry that is used where none is named. */
export const PUBLIC_REGISTRY = 'https://gypsum.artifactdb.com';

/** What `createClient` needs of a user's settings. */
export interface Config {
  readonly url: string;
  readonly cacheDir: string;
  readonly token?: string;
}

/**
 * Gives the settings of whoever runs this process. It is the only place that reads the environment and the home folder.
 *
 * `GYPSUM_URL` is the registry, `GYPSUM_CACHE_DIR` the cache, `GYPSUM_TOKEN` the token; an empty one counts as not set.
 * What is given in `settings` wins.
 */
export function configFromEnvironment(settings: Partial<Config> = {}, environment = process.env): Config {
  const url = settings.url ?? (environment.GYPSUM_URL || PUBLIC_REGISTRY);
  const cacheDir = settings.cacheDir ?? (environment.GYPSUM_CACHE_DIR || defaultCacheDir(url));
  const token = settings.token ?? (environment.GYPSUM_TOKEN || undefined);
  // What was given empty is refused by whoever uses it: it must not come to mean the current folder.
  return { url, cacheDir: cacheDir === '' ? '' : resolve(cacheDir), ...(token === undefined ? {} : { token }) };
}

/**
 * Gives the cache folder of a registry: for the public one the folder of the R and Python clients, for any other a
 * folder of its own beside it, so that equal names of two registries never meet.
 */
export function defaultCacheDir(url: string): string {
  // Without this suffix it is the folder that the other clients use.
  const shared = envPaths('gypsum', { suffix: '' }).cache;
  const name = url.replace(/\/+$/, '').toLowerCase();
  if (name === PUBLIC_REGISTRY) return shared;
  const host = name
    .replace(/^https?:\/\//, '')
    .replace(/[^a-z0-9.]+/g, '-')
    .slice(0, 60);
  return `${shared}-${host}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`;
}

/** Gives the folder that the embedded registry uses where none is named. */
export function defaultDataDir(): string {
  return join(envPaths('gypsum', { suffix: '' }).data, 'registry');
}
