import { hasContent, statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { formatFileRef } from '../model/refs.ts';
import { eachContent, groupContents } from './content-parts.ts';
import { fingerprintsOf, openMemory } from './memory.ts';
import type { VersionDocuments } from './version-documents.ts';

/** What was proven of the cached files of a version. */
export interface Proof {
  /** Remembers it, also where links of ours have changed the files' inodes since. */
  remember(): Promise<void>;
}

/** Throws `wrong-content` unless every cached file of a version holds what it must; reads those that were touched. */
export async function proveContents(
  ctx: Context,
  documents: VersionDocuments,
  { signal }: CallOptions,
): Promise<Proof> {
  const contents = groupContents(documents);
  const memory = await openMemory(ctx, eachContent(contents));
  const pace = createPace(signal);
  for (const content of eachContent(contents)) {
    const prints = fingerprintsOf(memory, content.source.project);
    for (const file of content.files) {
      const path = ctx.cache.layout.file(file);
      const stats = statIfThere(path);
      const known = stats !== undefined && prints.check(content.digest.hex, stats) === 'same';
      if (stats === undefined || !(known || (stats.isFile() && (await hasContent(path, content, signal))))) {
        throw new GypsumError('wrong-content', `${formatFileRef(file)} was changed in the cache while it was cloned.`, {
          hint: 'Do it again: what was changed is fetched anew.',
          details: { ...file },
        });
      }
      prints.remember(content.digest.hex, path, stats);
      if (pace.due()) await pace.rest();
    }
  }
  return {
    async remember() {
      for (const prints of memory.values()) await prints.flush();
    },
  };
}
