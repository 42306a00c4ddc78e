import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { keys } from '../model/keys.ts';
import type { Manifest, ManifestEntry } from '../model/manifest.ts';
import { type FileRef, sameVersion, type VersionRef } from '../model/refs.ts';
import { isImmutable, type VersionSummary } from '../model/summary.ts';
import { findRecord } from './records.ts';
import { askSummary, manifestIfSound, readRememberedSummary } from './version-documents.ts';

/** Says whether versions can be linked to; each is asked for once. */
export interface Standing {
  of(ref: VersionRef): Promise<boolean>;
  /** Asks for all versions that will be wanted to know `holds` of some entries, a few at once: there may be hundreds. */
  ask(entries: Iterable<ManifestEntry>): Promise<void>;
  /** Whether the bytes of a version's file are still where it says that they are: in another version, if it is a link. */
  holds(ref: VersionRef, entry: ManifestEntry): Promise<boolean>;
  /** Gives the links that can be made, and those that lead to no content any more. */
  divide<T extends { readonly link: FileRef }>(
    links: readonly T[],
  ): Promise<{ kept: readonly T[]; gone: readonly T[] }>;
}

/**
 * Whether a version is what the cache remembers: finished, not on probation, and not one of the same name that was
 * published after the remembered one had been removed. The cache cannot know: the registry is asked.
 */
export function createStanding(ctx: Context, call: CallOptions): Standing {
  const known = new Map<string, Promise<VersionSummary | undefined>>();
  const find = (ref: VersionRef) => {
    const id = keys.version(ref);
    const asked = known.get(id) ?? findStanding(ctx, ref, call);
    known.set(id, asked);
    return asked;
  };
  const of = async (ref: VersionRef) => (await find(ref)) !== undefined;
  const holds = async (ref: VersionRef, { link }: ManifestEntry) => {
    if (link === undefined) return true;
    const [linking, holding] = await Promise.all([find(ref), find(link.ancestor ?? link)]);
    // What was finished after the link was made has only taken the name of what it led to.
    return finishOf(holding) <= finishOf(linking);
  };

  const askFor = (groups: ReadonlyMap<string, Group>) =>
    each(groups.values(), { concurrency: ctx.concurrency, signal: call.signal }, async ({ ref }) => {
      await find(ref);
    });
  const ask = (entries: Iterable<ManifestEntry>) => askFor(groupByVersion(sourcesOf(entries)));

  /** Gives the paths of a version, of some, that lead to no content any more. */
  const findGone = async (ref: VersionRef, paths: readonly string[]): Promise<ReadonlySet<string>> => {
    if (!(await of(ref))) return new Set(paths);
    const manifest = await readLinking(ctx, ref);
    const gone = new Set<string>();
    if (manifest === undefined) return gone;
    await ask(paths.flatMap((path) => manifest[path] ?? []));
    const pace = createPace(call.signal);
    for (const path of paths) {
      if (pace.due()) await pace.rest();
      const entry = manifest[path];
      if (entry !== undefined && !(await holds(ref, entry))) gone.add(path);
    }
    return gone;
  };

  return {
    of,
    ask,
    holds,
    async divide(links) {
      const gone = new Map<string, ReadonlySet<string>>();
      const versions = groupByVersion(links);
      await askFor(versions);
      for (const [id, { ref, paths }] of versions) {
        const found = await findGone(ref, paths);
        if (found.size > 0) gone.set(id, found);
      }
      if (gone.size === 0) return { kept: links, gone: [] };
      const isGone = ({ link }: { link: FileRef }) => gone.get(keys.version(link))?.has(link.path) === true;
      return { kept: links.filter((link) => !isGone(link)), gone: links.filter(isGone) };
    },
  };
}

interface Group {
  readonly ref: VersionRef;
  readonly paths: string[];
}

/** Gives the files that hold the bytes of those entries that are links. */
function* sourcesOf(entries: Iterable<ManifestEntry>): Generator<{ readonly link: FileRef }> {
  for (const { link } of entries) if (link !== undefined) yield { link: link.ancestor ?? link };
}

function groupByVersion(links: Iterable<{ readonly link: FileRef }>): Map<string, Group> {
  const groups = new Map<string, Group>();
  let last: Group | undefined;
  for (const { link } of links) {
    // Nearly all links lead where the one before does.
    if (last === undefined || !sameVersion(last.ref, link)) {
      const id = keys.version(link);
      last = groups.get(id) ?? { ref: link, paths: [] };
      groups.set(id, last);
    }
    last.paths.push(link.path);
  }
  return groups;
}

/** Gives a remembered manifest if there are links in it: most have none, and to read a large one takes a second. */
async function readLinking(ctx: Context, ref: VersionRef): Promise<Manifest | undefined> {
  const content = (await findRecord(ctx, ref, 'manifest'))?.content;
  return content?.includes('"link"') ? manifestIfSound(content, ref) : undefined;
}

function finishOf(summary: VersionSummary | undefined): number {
  return summary?.uploadFinish?.getTime() ?? Number.NaN;
}

async function findStanding(
  ctx: Context,
  { project, asset, version }: VersionRef,
  call: CallOptions,
): Promise<VersionSummary | undefined> {
  const ref = { project, asset, version };
  try {
    const [now, then] = [await askSummary(ctx, ref, call), await readRememberedSummary(ctx, ref)];
    const isSame =
      then === undefined ||
      (then.uploadStart.getTime() === now.uploadStart.getTime() &&
        then.uploadFinish?.getTime() === now.uploadFinish?.getTime());
    return isSame && isImmutable(now) ? now : undefined;
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}
