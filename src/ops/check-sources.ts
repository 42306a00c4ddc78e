import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fingerprintOf, sameFingerprint } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import type { LocalSource, UploadFile, UploadPlan } from '../model/upload-plan.ts';
import { statThrough } from '../tree/stat-through.ts';
import { digestText } from './digest-file.ts';
import { digestFiles } from './digest-files.ts';
import { fileChanged } from './file-changed.ts';
import { findChanged, type Shown } from './find-changed.ts';

/**
 * Throws `file-changed` unless the local files and links of a plan still say what the plan says, as far as sending them
 * would not notice: a plan may be old, and digesting large files takes its time.
 */
export async function checkSources(ctx: Context, plan: UploadPlan, { signal, onEvent }: CallOptions): Promise<void> {
  const pace = createPace(signal);
  for (const { source, size } of plan.files) {
    if (pace.due()) await pace.rest();
    const stats = statThrough(source);
    if (!stats?.isFile() || stats.size !== size) throw fileChanged(source, undefined);
  }
  const { record } = plan;
  if (record !== undefined && digestText(record.content) !== record.md5sum) throw fileChanged(record.path, undefined);
  const links: (Shown & { source: string })[] = [];
  const copies: (LocalSource & UploadFile)[] = [];
  for (const { path, source, size, md5sum, link, seen } of plan.links) {
    if (source === undefined) continue;
    if (pace.due()) await pace.rest();
    const stats = look(source);
    if (stats === undefined && !isBehindLink(source)) throw fileChanged(source, undefined);
    // A hard link is a cached file too, of which it is known when it was verified.
    if (stats === undefined || stats.isSymbolicLink() || stats.nlink > 1)
      links.push({ source, size, md5sum, project: link.project });
    else if (seen === undefined || !sameFingerprint(seen, fingerprintOf(stats)))
      copies.push({ path, source, size, md5sum });
  }
  const [changed] = await findChanged(ctx, links, ({ source }) => source, { signal });
  if (changed !== undefined) throw fileChanged(changed.source, undefined);
  const digests = await digestFiles(ctx, copies, { signal, onEvent });
  for (const [index, { md5sum, source }] of digests.entries()) {
    if (md5sum !== copies[index]?.md5sum) throw fileChanged(source, undefined);
  }
}

function look(path: string): Stats | undefined {
  return lstatSync(fsPath(path), { throwIfNoEntry: false });
}

/** Whether a folder above is a symlink: what stands behind it is the cache's, and need not be there. */
function isBehindLink(path: string): boolean {
  for (let at = dirname(path); at !== dirname(at); at = dirname(at)) if (look(at)?.isSymbolicLink()) return true;
  return false;
}
