import { contentId } from '../model/content.ts';
import type { KnownFile } from '../model/tree.ts';

interface Sized {
  readonly path: string;
  readonly size: number;
}

/** Finds for files that are new those that they were before: of the same name first. All empty files are the same. */
export function pairMoved(removed: readonly KnownFile[], added: readonly KnownFile[]): Map<KnownFile, KnownFile> {
  return pairByContent(removed, added, contentOf);
}

/** The same where `contentOf` names the contents of files. */
export function pairByContent<F extends Sized>(
  removed: readonly F[],
  added: readonly F[],
  contentOf: (file: F) => string,
): Map<F, F> {
  const nameAndContent = (file: F) => `${contentOf(file)}/${file.path.slice(file.path.lastIndexOf('/') + 1)}`;
  const moved = new Map<F, F>();
  const gone = new Set<F>();
  for (const keyOf of [nameAndContent, contentOf]) {
    const open = new Map<string, F[]>();
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
