import type { Content } from '../cache/contents.ts';
import { type Fingerprints, openFingerprints } from '../cache/fingerprints.ts';
import type { Context } from '../context.ts';

/** What is known of the files of the caches without reading them, by the project whose bytes they are. */
export type Memory = ReadonlyMap<string, Fingerprints>;

/** Opens as much of it as some contents need. */
export function openMemory(ctx: Context, contents: Iterable<Content>): Promise<Memory> {
  return openMemoryOf(ctx, digestsOf(contents));
}

function* digestsOf(contents: Iterable<Content>): Generator<[project: string, md5sum: string]> {
  for (const { source, digest } of contents) yield [source.project, digest.hex];
}

/** Opens as much of it as some digests need, each with the project whose bytes it names. */
export async function openMemoryOf(
  ctx: Context,
  digests: Iterable<readonly [project: string, md5sum: string]>,
): Promise<Memory> {
  const byProject = new Map<string, Set<string>>();
  for (const [project, md5sum] of digests) {
    const known = byProject.get(project);
    // Only the beginning of a digest says which part of the memory it needs.
    const begin = md5sum.slice(0, 2);
    if (known === undefined) byProject.set(project, new Set([begin]));
    else known.add(begin);
  }
  const memory = new Map<string, Fingerprints>();
  for (const [project, hexes] of byProject) {
    memory.set(project, await openFingerprints(ctx.cache.layout, project, hexes, ctx.site?.layout));
  }
  return memory;
}

export function fingerprintsOf(memory: Memory, project: string): Fingerprints {
  const prints = memory.get(project);
  if (prints === undefined) throw new Error(`no fingerprints of project ${project} were opened`);
  return prints;
}
