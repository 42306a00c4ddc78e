import { relative } from 'node:path';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { applyChanges } from '../tree/apply-changes.ts';
import type { Step } from '../tree/step.ts';
import type { CloneLink } from './find-clone-links.ts';

/**
 * Puts links in the place of unchanged files of clones of real files, and gives the bytes that are free by that. Throws
 * `file-changed` at one that was changed since it was looked at.
 */
export async function replaceCopies(ctx: Context, links: readonly CloneLink[], options: CallOptions): Promise<number> {
  let freed = 0;
  const clones = new Set(links.flatMap(({ copy }) => copy?.clone ?? []));
  for (const clone of clones) {
    const steps = links.flatMap(({ source, file, copy }): Step[] =>
      copy?.clone !== clone
        ? []
        : [
            {
              path: relative(clone.root, source),
              before: { type: 'file', seen: copy.seen },
              after: { type: 'symlink', target: ctx.cache.layout.file(file) },
            },
          ],
    );
    await applyChanges(clone.root, steps, options);
    // Bytes that a reflink shares are free with the last that has them.
    if (clone.receipt.mode !== 'copy') continue;
    for (const { size, copy } of links) if (copy?.clone === clone && !copy.inCache) freed += size;
  }
  return freed;
}
