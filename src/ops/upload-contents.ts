import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { checkPath } from '../model/names.ts';
import { checkVersionRef, type FileRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { comparePaths, isBelow } from '../model/tree.ts';
import type { LocalSource, UploadLink } from '../model/upload-plan.ts';
import type { UploadResult } from './apply-upload.ts';
import { findFile } from './describe-files.ts';
import { createLinkTargets } from './link-targets.ts';
import { planFiles } from './plan-upload.ts';
import { run } from './run.ts';
import { type LooseContent, withSpool } from './spool.ts';
import { applyIfChanged, type UploadOptions } from './upload-directory.ts';
import { checkHasToken, checkVersionIsNew } from './upload-session.ts';

/** One file of a version to be: a local file, content in memory, a stream, or a link to a file of another version. */
export type UploadContent = { readonly path: string } & (
  | { readonly file: string }
  | LooseContent
  | { readonly link: FileRef }
);

/**
 * Publishes files from anywhere as a new version. A stream is read once, into the cache folder, since a registry wants
 * to know size and digest of what it will get. Throws `invalid-argument`, and what `uploadDirectory` throws.
 */
export async function uploadContents(
  ctx: Context,
  ref: VersionRef,
  contents: Iterable<UploadContent>,
  options: Omit<UploadOptions, 'links'> = {},
): Promise<UploadResult> {
  const version = checkVersionRef(ref);
  checkHasToken(ctx, version);
  const given = checkContents([...contents]);
  const { signal, onEvent } = options;
  const call = { signal, onEvent };
  return run(ctx, call, async () => {
    await checkVersionIsNew(ctx, version, call);
    const targets = createLinkTargets(ctx, call);
    const files: LocalSource[] = [];
    const links: UploadLink[] = [];
    return withSpool(ctx, version.project, signal, async (spool) => {
      for (const one of given) {
        if ('link' in one) links.push(await checkLink(one.path, one.link, targets));
        else if ('file' in one) files.push({ path: one.path, ...(await findFile(one.file)) });
        else files.push({ path: one.path, ...(await spool(one)) });
      }
      const plan = await planFiles(ctx, version, files, links, options);
      return applyIfChanged(ctx, plan, options);
    });
  });
}

function checkContents(contents: UploadContent[]): UploadContent[] {
  const sorted = contents.toSorted((a, b) => comparePaths(checkPath(a.path), checkPath(b.path)));
  for (const [index, { path }] of sorted.entries()) {
    const before = sorted[index - 1]?.path;
    if (before === undefined || (before !== path && !isBelow(path, before))) continue;
    throw new GypsumError('invalid-argument', `"${showText(path)}" cannot be published beside "${showText(before)}".`, {
      hint: 'Give each path once, and none below another.',
      details: { path },
    });
  }
  return sorted;
}

async function checkLink(
  path: string,
  link: FileRef,
  targets: ReturnType<typeof createLinkTargets>,
): Promise<UploadLink> {
  const [target] = await targets.find([link.project, link.asset, link.version, ...link.path.split('/')]);
  if (target?.below === '') return { path, link: target.file, size: target.size, md5sum: target.md5sum };
  throw new GypsumError('invalid-argument', `"${showText(path)}" cannot be a link: there is no such file to link to.`, {
    hint: 'Link to a file of a finished version that is not on probation.',
    details: { path, link },
  });
}
