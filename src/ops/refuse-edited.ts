import { dirname } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { placeIn } from '../model/local-path.ts';
import { formatRef } from '../model/refs.ts';
import { showLines, showText } from '../model/text.ts';
import { readLink } from '../tree/scan.ts';
import type { Step } from '../tree/step.ts';
import { findChanged } from './find-changed.ts';
import type { Linked } from './found.ts';
import { createLinkTargets } from './link-targets.ts';
import { watchBuckets } from './watch-buckets.ts';

/** How many files a message names; `details` has all. */
const NAMED = 10;

/**
 * Throws `wrong-content` if the cached file of a link was changed through it: the edit would be taken for the version's
 * content, or be out of sight.
 */
export async function refuseEdited(
  ctx: Context,
  root: string,
  links: Iterable<Linked>,
  options: CallOptions,
): Promise<void> {
  const edited = await findChanged(ctx, links, ({ path }) => placeIn(root, path), options);
  const [first] = edited;
  if (first === undefined) return;
  const lines = edited.map(({ path, file }) => `${showText(path)} (save ${formatRef(file)})`);
  throw new GypsumError(
    'wrong-content',
    `Nothing was changed: the cached files of these links were edited through them:${showLines(lines, NAMED)}`,
    {
      hint: `To keep the edits, make them files of the clone: gypsum stage --rescue PATH. If they are not wanted: gypsum save ${formatRef(first.file)}.`,
      details: { directory: root, paths: edited.map(({ path }) => path) },
    },
  );
}

/** Gives the links that steps change or take away, as far as they are still there. */
export async function linksOfSteps(
  ctx: Context,
  root: string,
  steps: readonly Step[],
  options: CallOptions,
): Promise<Linked[]> {
  const targets = createLinkTargets(ctx, options);
  const buckets = watchBuckets(ctx);
  const pace = createPace(options.signal);
  const links: Linked[] = [];
  for (const { path, before } of steps) {
    if (pace.due()) await pace.rest();
    const place = placeIn(root, path);
    if (before?.type !== 'symlink' || !statIfThere(place)?.isSymbolicLink()) continue;
    if (readLink(place) !== before.target) continue;
    const to = buckets.resolve(dirname(place), before.target);
    const [found] = to.type === 'inside' ? await targets.find(to.parts, { changing: true }) : [];
    if (found?.below !== '') continue;
    const { file, size, md5sum, source: project } = found;
    links.push({ path, file, size, md5sum, project, ...(buckets.isSite(to) && { inSite: true }) });
  }
  return links;
}
