import { keys } from '../model/keys.ts';
import type { VersionRef } from '../model/refs.ts';
import { listAssets, listProjects, listVersions, type Needs } from './survey.ts';
import { isHeadless } from './verify-documents.ts';

/** An object that a copy has and its registry has not any more, with the version that it belongs to. */
export interface Gone {
  readonly key: string;
  readonly version?: VersionRef;
}

/**
 * Gives what a copy of a registry has too much. A version goes as a whole, and never one that is another's now, which is
 * the next backup's to copy, nor one of which the registry has lost the summary alone.
 */
export async function* listGone(registry: Needs, copy: Needs): AsyncGenerator<Gone> {
  const isGone = async (key: string) =>
    (await copy.storage.size(key)) !== undefined && (await registry.storage.size(key)) === undefined;
  for await (const project of listProjects(copy)) {
    const rest: string[] = [];
    let isLeft = (await registry.storage.size(keys.permissions(project))) !== undefined;
    for await (const asset of listAssets(copy, project)) {
      for await (const version of listVersions(copy, asset)) {
        const isThere = (await registry.storage.size(keys.summary(version))) !== undefined;
        if (isThere || (await isHeadless(registry, version))) isLeft = true;
        else yield* listVersion(copy, version);
      }
      rest.push(keys.latest(asset));
    }
    rest.push(keys.usage(project), keys.quota(project), keys.permissions(project));
    if (isLeft) continue;
    for (const key of rest) if ((await copy.storage.size(key)) !== undefined) yield { key };
  }
  for await (const key of copy.storage.list(keys.logs)) if (await isGone(key)) yield { key };
}

/** The summary goes before the files, so that nobody sees half a version. */
async function* listVersion({ storage }: Needs, version: VersionRef): AsyncGenerator<Gone> {
  const summary = keys.summary(version);
  if ((await storage.size(summary)) !== undefined) yield { key: summary, version };
  for await (const key of storage.list(keys.version(version), { recursive: true })) {
    if (key !== summary) yield { key, version };
  }
}
