import type { Stats } from 'node:fs';
import { statIfThere } from '../cache/blobs.ts';
import { type Content, missingBytes, supply } from '../cache/contents.ts';
import { checkFreeSpace } from '../cache/free-space.ts';
import { moveAside } from '../cache/move-aside.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { fetchContent } from './fetch-content.ts';
import { whyNot } from './mend-outcome.ts';
import type { Prover } from './prover.ts';

/** What became of files that were to be mended, by their absolute paths. */
export interface Mended {
  readonly movedTo: ReadonlyMap<string, string>;
  /** Why some could not be mended. */
  readonly failed: ReadonlyMap<string, string>;
}

/**
 * Gives files of a version their content again: from another file of the cache, else fetched. What stands in their place
 * is moved aside when there is something to replace it with, and not before.
 */
export async function mendContents(
  ctx: Context,
  ref: VersionRef,
  contents: readonly Content[],
  { prover, ...options }: CallOptions & { prover: Prover },
): Promise<Mended> {
  const { layout } = ctx.cache;
  const movedTo = new Map<string, string>();
  const failed = new Map<string, string>();
  let offline: unknown;

  const fetch = async (content: Content, signal: AbortSignal): Promise<Stats> => {
    // One that cannot be reached is not tried once for each file.
    if (offline !== undefined) throw offline;
    try {
      return await fetchContent(ctx, content, { signal });
    } catch (error) {
      if (isGypsumError(error, 'unavailable')) offline = error;
      throw error;
    }
  };

  const mend = async (content: Content, signal: AbortSignal) => {
    const { project } = content.source;
    const prints = await prover.fingerprints(project);
    const blob = layout.blob(project, content.digest);
    if (!(await hasRight(ctx, prover, content))) {
      // What stands alone would be lost where the new one takes its name.
      const aside = statIfThere(blob)?.nlink === 1 ? moveAside(layout, blob) : undefined;
      if (aside !== undefined) for (const file of content.files) movedTo.set(layout.file(file), aside);
      prints.remember(content.digest.hex, blob, await fetch(content, signal));
    }
    const onEvent: CallOptions['onEvent'] = (event) => {
      if (event.type !== 'damaged') return;
      movedTo.set(event.path, event.movedTo);
      for (const file of event.equal ?? []) movedTo.set(layout.file(file), event.movedTo);
    };
    await supply(layout, prints, content, (wanted) => fetch(wanted, signal), { signal, onEvent });
  };

  await checkFreeSpace(layout.root, missingBytes(layout, contents), formatRef(ref));
  await each(contents, { concurrency: ctx.concurrency, signal: options.signal }, async (content, signal) => {
    try {
      await mend(content, signal);
    } catch (error) {
      const reason = whyNot(error);
      for (const file of content.files) failed.set(layout.file(file), reason);
    }
  });
  return { movedTo, failed };
}

/** Whether the cache has a content anywhere where it may be taken from. */
async function hasRight(ctx: Context, prover: Prover, content: Content): Promise<boolean> {
  const { layout } = ctx.cache;
  const { project } = content.source;
  for (const path of [layout.blob(project, content.digest), ...content.files.map(layout.file)]) {
    const stats = statIfThere(path);
    if (stats?.isFile() && (await prover.prove(project, content, path, stats)) === 'right') return true;
  }
  return false;
}
