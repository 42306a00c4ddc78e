import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import envPaths from 'env-paths';
import { readCaFile } from './config/ca-file.ts';
import { configFile, readChoices, type SettingKey } from './config/config-file.ts';
import { loginsFile, readLogin } from './config/logins.ts';
import { type Proxies, proxiesFromEnvironment } from './config/proxies.ts';
import type { UserFile } from './config/user-file.ts';
import { DEFAULT_CONCURRENCY } from './each.ts';
import { GypsumError } from './errors.ts';

/** The registry that is used where none is named. */
export const PUBLIC_REGISTRY = 'https://gypsum.artifactdb.com';

/** What `createClient` needs of a user's settings. */
export interface Config extends Proxies {
  readonly url: string;
  readonly cacheDir: string;
  /** A new cache is made for the group of its folder. */
  readonly shared?: boolean;
  /** A cache of others that is read first. */
  readonly siteCacheDir?: string;
  /** No request is made. */
  readonly offline?: boolean;
  /** Where uploads are written down. */
  readonly stateDir: string;
  readonly token?: string;
  readonly concurrency?: number;
  /** Certificates of authorities that are trusted besides Node's own, as PEM. */
  readonly ca?: string;
}

/** A setting, and what it was taken from: `name` is the flag, the variable or the file. */
export interface Setting {
  readonly key: SettingKey;
  readonly value: string | number | boolean;
  readonly from: 'flag' | 'environment' | 'file' | 'default';
  readonly name?: string;
}

/**
 * Gives the settings of whoever runs this process. It is the only place that reads the environment and the home folder.
 *
 * `GYPSUM_URL` is the registry, `GYPSUM_CACHE_DIR` the cache, which `GYPSUM_SHARED` makes for a group, `GYPSUM_STATE_DIR` where
 * uploads are written down, `GYPSUM_OFFLINE` says that no request is made,
 * `GYPSUM_SITE_CACHE` a cache of others that is read first,
 * `GYPSUM_TOKEN` the token, `GYPSUM_CA_FILE` a file of certificates; `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are the
 * proxies. An empty one counts as not set. What is given in `settings` wins; what neither says is the config file's to
 * say, and the login's for the token.
 * Throws `invalid-argument` for such a file that cannot be used.
 */
export function configFromEnvironment(settings: Partial<Config> = {}, environment = process.env): Config {
  const { url, cacheDir, concurrency, caFile, offline, siteCache } = resolveSettings(settings, environment);
  const token = settings.token ?? tokenAt(url.value, environment);
  const shared = settings.shared ?? switchIn(environment, 'GYPSUM_SHARED');
  const ca = settings.ca ?? (caFile && readCaFile(caFile.value, caFile.name ?? ''));
  return {
    ...proxiesFromEnvironment(environment),
    ...settings,
    url: url.value,
    cacheDir: cacheDir.value,
    stateDir: settings.stateDir ?? stateDir(environment),
    ...(shared === undefined ? {} : { shared }),
    ...(token === undefined ? {} : { token }),
    ...(concurrency === undefined ? {} : { concurrency: concurrency.value }),
    ...(ca === undefined ? {} : { ca }),
    ...(siteCache === undefined ? {} : { siteCacheDir: siteCache.value }),
    ...(offline === undefined ? {} : { offline: offline.value }),
  };
}

/**
 * Gives the token of whoever runs this process for a registry: `GYPSUM_TOKEN`, else the login's, else nothing. Like
 * `configFromEnvironment`, it reads the environment and the home folder, and nothing else does so without being told.
 */
export function accessToken(settings: Partial<Config> = {}, environment = process.env): string | undefined {
  return settings.token ?? tokenAt(resolveSettings(settings, environment).url.value, environment);
}

function tokenAt(url: string, environment: NodeJS.ProcessEnv): string | undefined {
  return tokenFromEnvironment(environment) ?? readLogin(loginsFile(configDir(environment)), url);
}

/** Gives every setting but the token, with what it was taken from. Throws `invalid-argument`. */
export function listSettings(settings: Partial<Config> = {}, environment = process.env): Setting[] {
  const { url, cacheDir, concurrency, caFile, offline, siteCache } = resolveSettings(settings, environment);
  return [
    { key: 'registry', ...url },
    { key: 'cache', ...cacheDir },
    { key: 'concurrency', ...(concurrency ?? { value: DEFAULT_CONCURRENCY, from: 'default' }) },
    { key: 'ca', ...(caFile ?? { value: '', from: 'default' }) },
    { key: 'siteCache', ...(siteCache ?? { value: '', from: 'default' }) },
    { key: 'offline', ...(offline ?? { value: false, from: 'default' }) },
  ];
}

/** Reads a variable that is on or off; nothing if it is not set. */
function switchIn(environment: NodeJS.ProcessEnv, name: string): boolean | undefined {
  const text = environment[name] || undefined;
  if (text === undefined) return undefined;
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new GypsumError('invalid-argument', `${name} is neither on nor off.`, {
    hint: 'Set it to 1 or 0.',
    details: { name },
  });
}

/** Gives the token that stands before that of any login. */
export function tokenFromEnvironment(environment = process.env): string | undefined {
  return environment.GYPSUM_TOKEN || undefined;
}

/** Gives the user's own two files: what they settled on, and their logins. */
export function userFiles(environment = process.env): { readonly config: UserFile; readonly logins: UserFile } {
  const folder = configDir(environment);
  return { config: configFile(folder), logins: loginsFile(folder) };
}

interface Resolved<Value> extends Omit<Setting, 'key' | 'value'> {
  readonly value: Value;
}

function resolveSettings(settings: Partial<Config>, environment: NodeJS.ProcessEnv) {
  const file = configFile(configDir(environment));
  const chosen = readChoices(file);
  const pick = <Value>(
    [flag, given]: readonly [string, Value | undefined],
    [variable, set]: readonly [string, Value | undefined],
    fromFile: Value | undefined,
  ): Resolved<Value> | undefined => {
    if (given !== undefined) return { value: given, from: 'flag', name: flag };
    if (set !== undefined) return { value: set, from: 'environment', name: variable };
    return fromFile === undefined ? undefined : { value: fromFile, from: 'file', name: file.path };
  };
  const url = pick(
    ['--registry', settings.url],
    ['GYPSUM_URL', environment.GYPSUM_URL || undefined],
    chosen.registry,
  ) ?? { value: PUBLIC_REGISTRY, from: 'default' };
  const cacheDir = pick(
    ['--cache', settings.cacheDir],
    ['GYPSUM_CACHE_DIR', environment.GYPSUM_CACHE_DIR || undefined],
    chosen.cache,
  ) ?? { value: defaultCacheDir(url.value), from: 'default' };
  // What was given empty is refused by whoever uses it: it must not come to mean the current folder.
  const folder = cacheDir.value === '' ? '' : resolve(cacheDir.value);
  const concurrency = pick(['concurrency', settings.concurrency], ['', undefined], chosen.concurrency);
  const caFile = pick(['ca', undefined], ['GYPSUM_CA_FILE', environment.GYPSUM_CA_FILE || undefined], chosen.ca);
  const offline = pick(
    ['--offline', settings.offline],
    ['GYPSUM_OFFLINE', switchIn(environment, 'GYPSUM_OFFLINE')],
    chosen.offline,
  );
  const site = pick(
    ['--site-cache', settings.siteCacheDir],
    ['GYPSUM_SITE_CACHE', environment.GYPSUM_SITE_CACHE || undefined],
    chosen.siteCache,
  );
  const siteCache = site && { ...site, value: site.value === '' ? '' : resolve(site.value) };
  return { url, cacheDir: { ...cacheDir, value: folder }, concurrency, caFile, offline, siteCache } as const;
}

function configDir(environment: NodeJS.ProcessEnv): string {
  return resolve(environment.GYPSUM_CONFIG_DIR || envPaths('gypsum', { suffix: '' }).config);
}

/** Gives the folder where uploads and jobs are written down. */
export function stateDir(environment = process.env): string {
  // On Linux this is the folder for the state of programs, such as ~/.local/state/gypsum.
  return resolve(environment.GYPSUM_STATE_DIR || envPaths('gypsum', { suffix: '' }).log);
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

/** Gives what whoever runs this process has typed to run the command. */
export function commandName(environment = process.env): string {
  return environment.npm_command === 'exec' ? 'npx gypsum' : 'gypsum';
}
