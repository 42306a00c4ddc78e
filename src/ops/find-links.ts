import type { Buffer } from 'node:buffer';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { contentId } from '../model/content.ts';
import type { Manifest } from '../model/manifest.ts';
import { type FileRef, sameVersion, type VersionRef } from '../model/refs.ts';
import type { UploadFile } from '../model/upload-plan.ts';
import { findRecord, knownNames } from './records.ts';
import type { Standing } from './standing.ts';
import { manifestIfSound, readRememberedSummary } from './version-documents.ts';

/**
 * How much of remembered manifests is searched, newest first: a project may have any number, and what is not found is
 * sent, which is right too.
 *
 * Units: characters. About a second's work
 */
const MAX_SEARCHED = 256 * 1024 * 1024;

/**
 * Finds files that have the same content in a version that the cache remembers, by path: in a version of the same asset
 * if there is one, the latest first, and else in any of the project.
 */
export async function findLinks(
  ctx: Context,
  {
    ref,
    latest,
    standing,
  }: { ref: VersionRef; latest: VersionRef | undefined; standing: Pick<Standing, 'of' | 'ask' | 'holds'> },
  files: readonly UploadFile[],
  { signal }: CallOptions,
): Promise<Map<string, FileRef>> {
  const found = new Map<string, FileRef>();
  const wanted = groupByContent(files);
  let searched = 0;
  if (wanted.size === 0) return found;
  const pace = createPace(signal);
  for (const version of await rememberedVersions(ctx, ref, latest)) {
    if (wanted.size === 0 || searched > MAX_SEARCHED) break;
    if (pace.due()) await pace.rest();
    const content = (await findRecord(ctx, version, 'manifest'))?.content;
    searched += content?.length ?? 0;
    if (content === undefined || !mentions(content, wanted) || !(await standing.of(version))) continue;
    const manifest = manifestIfSound(content, version);
    const paths = manifest === undefined ? new Map<string, string[]>() : pathsByContent(manifest, wanted);
    await standing.ask([...paths.values()].flat().flatMap((path) => manifest?.[path] ?? []));
    for (const [id, same] of wanted) {
      const held = new Set<string>();
      for (const path of paths.get(id) ?? []) {
        const entry = manifest?.[path];
        if (entry !== undefined && (await standing.holds(version, entry))) held.add(path);
      }
      const [any] = held;
      if (any === undefined) continue;
      wanted.delete(id);
      for (const { path } of same) found.set(path, { ...version, path: held.has(path) ? path : any });
    }
  }
  return found;
}

function groupByContent(files: readonly UploadFile[]): Map<string, UploadFile[]> {
  const groups = new Map<string, UploadFile[]>();
  for (const file of files) {
    const known = groups.get(contentId(file));
    if (known === undefined) groups.set(contentId(file), [file]);
    else known.push(file);
  }
  return groups;
}

/** Gives the versions of a project that the cache remembers, those first that links should rather lead to. */
async function rememberedVersions(
  ctx: Context,
  { project, asset: own }: VersionRef,
  latest: VersionRef | undefined,
): Promise<VersionRef[]> {
  const versions: { ref: VersionRef; rank: number; finish: number }[] = [];
  for (const asset of await knownNames(ctx, project)) {
    for (const version of await knownNames(ctx, project, asset)) {
      const ref = { project, asset, version };
      const finish = (await readRememberedSummary(ctx, ref))?.uploadFinish?.getTime();
      if (finish === undefined) continue;
      const isLatest = latest !== undefined && sameVersion(ref, latest);
      versions.push({ ref, finish, rank: isLatest ? 0 : asset === own ? 1 : 2 });
    }
  }
  return versions.sort((a, b) => a.rank - b.rank || b.finish - a.finish).map(({ ref }) => ref);
}

/** Whether a manifest has one of the contents, as it seems: to parse and check one takes twelve times as long. */
function mentions(content: Buffer, wanted: ReadonlyMap<string, readonly UploadFile[]>): boolean {
  const digests = new Set([...wanted.values()].flatMap(([file]) => file?.md5sum ?? []));
  for (const [, hex = ''] of content.toString('latin1').matchAll(/"md5sum"\s*:\s*"([0-9a-fA-F]{32})"/g)) {
    if (digests.has(hex.toLowerCase())) return true;
  }
  return false;
}

/** Gives the paths under which a manifest has the contents that are wanted. */
function pathsByContent(manifest: Manifest, wanted: ReadonlyMap<string, unknown>): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const [path, entry] of Object.entries(manifest)) {
    const id = contentId(entry);
    if (!wanted.has(id)) continue;
    const known = paths.get(id);
    if (known === undefined) paths.set(id, [path]);
    else known.push(path);
  }
  return paths;
}
