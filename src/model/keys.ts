import type { AssetRef, FileRef, VersionRef } from './refs.ts';

/** Names of the files that a registry keeps beside the users' own; users' names never begin with two dots. */
export const INTERNAL = {
  manifest: '..manifest',
  summary: '..summary',
  links: '..links',
  latest: '..latest',
  permissions: '..permissions',
  quota: '..quota',
  usage: '..usage',
  lock: '..LOCK',
} as const;

/** Those names: in the cache, too, documents stand beside the files. */
export const INTERNAL_NAMES: ReadonlySet<string> = new Set(Object.values(INTERNAL));

/**
 * The keys of a registry's objects, each in one place.
 *
 * Source: contract of the gypsum REST API, "What is stored"
 */
export const keys = {
  logs: '..logs/',
  log: (at: string, sixDigits: string) => `${keys.logs}${at}_${sixDigits}`,
  project: (project: string) => `${project}/`,
  permissions: (project: string) => `${project}/${INTERNAL.permissions}`,
  quota: (project: string) => `${project}/${INTERNAL.quota}`,
  usage: (project: string) => `${project}/${INTERNAL.usage}`,
  lock: (project: string) => `${project}/${INTERNAL.lock}`,
  asset: ({ project, asset }: AssetRef) => `${project}/${asset}/`,
  latest: ({ project, asset }: AssetRef) => `${project}/${asset}/${INTERNAL.latest}`,
  version: ({ project, asset, version }: VersionRef) => `${project}/${asset}/${version}/`,
  file: ({ project, asset, version, path }: FileRef) => `${project}/${asset}/${version}/${path}`,
  manifest: (ref: VersionRef) => `${keys.version(ref)}${INTERNAL.manifest}`,
  summary: (ref: VersionRef) => `${keys.version(ref)}${INTERNAL.summary}`,
  /** The links of one directory; `directory` is empty for the version's root. */
  links: (ref: VersionRef, directory: string) =>
    `${keys.version(ref)}${directory === '' ? '' : `${directory}/`}${INTERNAL.links}`,
};
