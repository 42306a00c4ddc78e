import { contentId } from '../model/content.ts';
import type { KnownFile } from '../model/tree.ts';

/** Finds for files that are new those that they were before: of the same name first. All empty files are the same. */
export function pairMoved(removed: readonly KnownFile[], added: readonly KnownFile[]): Map<KnownFile, KnownFile> {
  const moved = new Map<KnownFile, KnownFile>();
  const gone = new Set<KnownFile>();
  for (const keyOf of [nameAndContent, contentOf]) {
    const open = new Map<string, KnownFile[]>();
    // The last of a list is taken first.
    for (const file of removed.toReversed()) {
      if (file.size === 0 || gone.has(file)) continue;
      const same = open.get(keyOf(file));
      if (same === undefined) open.set(keyOf(file), [file]);
      else same.push(file);
    }
    for (const file of added) {
      const from = moved.has(file) ? undefined : open.get(keyOf(file))?.pop();
      if (from === undefined) continue;
      moved.set(file, from);
      gone.add(from);
    }
  }
  return moved;
}

function contentOf({ size, digest }: KnownFile): string {
  return contentId({ size, md5sum: digest.hex });
}

function nameAndContent(file: KnownFile): string {
  return `${contentOf(file)}/${file.path.slice(file.path.lastIndexOf('/') + 1)}`;
}
