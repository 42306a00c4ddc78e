import { contentId } from '../model/content.ts';
import { type Count, countFiles } from '../model/count.ts';
import type { Manifest } from '../model/manifest.ts';
import type { Known } from './compare-clone.ts';
import { type Fault, type Found, sentOf } from './found.ts';

/**
 * What publishing a clone would do, as far as its own version tells: what other versions have need not be sent, and of equal
 * files one.
 */
export interface Publishing {
  readonly send: Count;
  readonly link: Count;
  /** What keeps it from being published. */
  readonly refused: readonly Refused[];
}

export interface Refused {
  readonly path: string;
  readonly kind: Fault['kind'] | 'edited';
  /** The end of a sentence that begins with the path. */
  readonly why: string;
}

const EDITED = 'was edited through its link, in the cache';

/** Says what publishing would do with what a clone holds; what is sent becomes a link if `manifest` has its content. */
export function foreseePublishing(found: readonly Found[], known: Known, manifest: Manifest): Publishing {
  const link = { files: 0, bytes: 0 };
  const sent: { readonly size: number; readonly id: string | undefined }[] = [];
  const refused: Refused[] = [];
  for (const entry of found) {
    const size = sentOf(entry)?.size;
    const isEdited = known.edited.has(entry);
    if (entry.fault !== undefined) {
      const { kind, why } = entry.fault;
      refused.push({ path: entry.path, kind, why });
    } else if (size !== undefined) {
      const md5sum = entry.type === 'link' && !isEdited ? entry.md5sum : known.digests.get(entry.path);
      sent.push({ size, id: md5sum === undefined ? undefined : contentId({ size, md5sum }) });
    } else if (isEdited) refused.push({ path: entry.path, kind: 'edited', why: EDITED });
    else if (entry.type === 'link') {
      link.files++;
      link.bytes += entry.size;
    }
  }
  const ids = contentsOf(manifest, new Set(sent.map(({ id }) => id)));
  const linked = countFiles(sent.filter(({ id }) => id !== undefined && ids.has(id)));
  return {
    send: countFiles(sent.filter(({ id }) => id === undefined || !ids.has(id))),
    link: { files: link.files + linked.files, bytes: link.bytes + linked.bytes },
    refused,
  };
}

/** Gives those of some contents that a version has. */
function contentsOf(manifest: Manifest, wanted: ReadonlySet<string | undefined>): Set<string> {
  const found = new Set<string>();
  if (wanted.size === 0) return found;
  for (const entry of Object.values(manifest)) {
    const id = contentId(entry);
    if (wanted.has(id)) found.add(id);
  }
  return found;
}
