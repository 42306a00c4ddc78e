import { isAbsolute } from 'node:path';
import { type Cache, createCache } from './cache/cache.ts';
import { createSite, type Site } from './cache/site.ts';
import { checkConcurrency, DEFAULT_CONCURRENCY } from './each.ts';
import { GypsumError } from './errors.ts';
import { showText } from './model/text.ts';
import { createRegistryClient, type Registry } from './registry/client.ts';
import type { HttpOptions } from './registry/http.ts';
import { createUploadStore, type UploadStore } from './state/upload-store.ts';
import { VERSION } from './version.ts';

export interface ContextOptions extends HttpOptions {
  /** Where the registry is, such as `http://127.0.0.1:8080`. */
  url?: string | undefined;
  /** The cache folder, an absolute path. It belongs to the one registry that it was first used with. */
  cacheDir?: string | undefined;
  /**
   * Needed to publish, and to read where the registry is private. It is sent to the registry alone, and to GitHub if
   * `whoAmI` has to ask there.
   */
  token?: string | undefined;
  /**
   * The folder where uploads are written down, so that they can be resumed or aborted when their process is gone: an
   * absolute path, and the user's own. Nothing is written down without it.
   */
  stateDir?: string | undefined;
  /**
   * Make a new cache for the group of its folder: whatever the umask, all of the group can write to it. One that is made
   * already says so itself. @default false
   */
  shared?: boolean | undefined;
  /**
   * A cache of others, an absolute path, which is looked into first and never written to: what it has is verified and not
   * fetched, and clones may lead into it. It must be one of the same registry.
   */
  siteCacheDir?: string | undefined;
  /** How many files are transferred at once. @default 16 */
  concurrency?: number | undefined;
  /** Where to ask who a token belongs to, for a registry that leaves that to GitHub. @default 'https://api.github.com' */
  githubUrl?: string | undefined;
}

/** What every operation stands on. It holds no state of any operation: all may share one. */
export interface Context {
  readonly cache: Cache;
  /** The read-only cache below that one, if any is used. */
  readonly site: Site | undefined;
  readonly registry: Registry;
  /** What is written down of uploads, if anything is. */
  readonly uploads: UploadStore | undefined;
  readonly concurrency: number;
}

/** Makes a context, or throws `invalid-argument` saying what is missing. Nothing is read and nothing is written yet. */
export function createContext(options: ContextOptions): Context {
  const {
    url,
    cacheDir,
    shared = false,
    siteCacheDir,
    stateDir,
    token,
    concurrency = DEFAULT_CONCURRENCY,
    ...http
  } = options;
  if (url === undefined) throw missing('url', 'the URL of a registry');
  if (cacheDir === undefined) throw missing('cacheDir', 'a cache folder');
  checkCacheFolder('cache', cacheDir);
  if (siteCacheDir !== undefined) checkCacheFolder('site cache', siteCacheDir);
  if (stateDir !== undefined && (!isAbsolute(stateDir) || stateDir.includes('\0'))) {
    throw new GypsumError('invalid-argument', `The state folder "${showText(stateDir)}" is not an absolute path.`, {
      hint: 'Give an absolute path, or leave it out to have nothing written down.',
      details: { stateDir },
    });
  }
  checkConcurrency(concurrency);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new GypsumError(
      'invalid-argument',
      'The token has spaces, line ends or other characters that no token has.',
      {
        hint: 'Give the token alone, as it was printed.',
      },
    );
  }
  const registry = createRegistryClient({
    url,
    token,
    userAgent: `gypsum-client/${VERSION}`,
    async onName(name) {
      await cache.meet(name);
      await site?.meet(name);
    },
    ...http,
  });
  const cache = createCache(cacheDir, registry.url, { shared });
  const site = siteCacheDir === undefined ? undefined : createSite(siteCacheDir, registry.url);
  const uploads = stateDir === undefined ? undefined : createUploadStore(stateDir);
  return { registry, cache, site, uploads, concurrency };
}

function checkCacheFolder(what: string, folder: string): void {
  if (isAbsolute(folder) && !folder.includes('\0') && folder.isWellFormed()) return;
  throw new GypsumError(
    'invalid-argument',
    `The ${what} folder "${showText(folder)}" is not an absolute path in UTF-8.`,
    {
      hint: 'Give an absolute path: links in clones carry it as their text.',
      details: { folder },
    },
  );
}

function missing(option: string, what: string): GypsumError {
  return new GypsumError('invalid-argument', `The option "${option}" is missing: ${what}.`, {
    hint: `Give it, or take the user's settings: createClient(configFromEnvironment()).`,
    details: { option },
  });
}
