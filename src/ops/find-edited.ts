import { hasContent, statIfThere } from '../cache/blobs.ts';
import { type Fingerprints, openFingerprints } from '../cache/fingerprints.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { LinkTarget } from './link-targets.ts';

/** A file of a folder that is to be published, and the cached file that its link leads to. */
export interface Linked {
  readonly path: string;
  readonly target: LinkTarget;
}

/**
 * Finds the links whose cached file is not any more what its version says: it was edited through the link, and
 * publishing the link would publish the old content without a word. A file that is not in the cache is fine.
 *
 * A file that was not touched since it was verified is known by its stats; others are read.
 */
export async function findEdited(ctx: Context, linked: readonly Linked[], { signal }: CallOptions): Promise<Linked[]> {
  const memory = new Map<string, Fingerprints>();
  for (const [project, hexes] of digestsByProject(linked)) {
    memory.set(project, await openFingerprints(ctx.cache.layout, project, hexes));
  }
  const edited: Linked[] = [];
  const pace = createPace(signal);
  for (const link of linked) {
    const { target } = link;
    if (pace.due()) await pace.rest();
    const cached = ctx.cache.layout.file(target.file);
    const stats = statIfThere(cached);
    if (stats === undefined) continue;
    const prints = memory.get(target.source);
    if (stats.size === target.size && prints?.check(target.md5sum, stats) === 'same') continue;
    const expected = { digest: { algorithm: 'md5', hex: target.md5sum }, size: target.size } as const;
    if (!stats.isFile() || !(await hasContent(cached, expected, signal))) edited.push(link);
    else prints?.remember(target.md5sum, cached, stats);
  }
  for (const prints of memory.values()) await prints.flush(signal);
  return edited;
}

function digestsByProject(linked: readonly Linked[]): Map<string, Set<string>> {
  const digests = new Map<string, Set<string>>();
  for (const { target } of linked) {
    const known = digests.get(target.source);
    if (known === undefined) digests.set(target.source, new Set([target.md5sum]));
    else known.add(target.md5sum);
  }
  return digests;
}
