import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { removeIfThere } from '../cache/atomic.ts';
import { makeCacheFolder } from '../cache/folders.ts';
import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { checkPath } from '../model/names.ts';
import { checkVersionRef, type FileRef, type VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { comparePaths, isBelow } from '../model/tree.ts';
import type { LocalSource, UploadLink } from '../model/upload-plan.ts';
import { ownedName } from '../owned-name.ts';
import type { UploadResult } from './apply-upload.ts';
import { findFile } from './describe-files.ts';
import { createLinkTargets } from './link-targets.ts';
import { planFiles } from './plan-upload.ts';
import { leftUploads } from './recorded-uploads.ts';
import { run } from './run.ts';
import { applyIfChanged, type UploadOptions } from './upload-directory.ts';
import { checkHasToken, checkVersionIsNew } from './upload-session.ts';

/** One file of a version to be: a local file, content in memory, a stream, or a link to a file of another version. */
export type UploadContent = { readonly path: string } & (
  | { readonly file: string }
  | { readonly content: string | Uint8Array }
  | { readonly stream: Readable | ReadableStream<Uint8Array> }
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
    const spooled: string[] = [];
    const files: LocalSource[] = [];
    const links: UploadLink[] = [];
    try {
      for (const one of given) {
        if ('link' in one) links.push(await checkLink(one.path, one.link, targets));
        else if ('file' in one) files.push({ path: one.path, ...(await findFile(one.file)) });
        else files.push({ path: one.path, ...(await spool(ctx, one, spooled, signal)) });
      }
      const plan = await planFiles(ctx, version, files, links, options);
      return await applyIfChanged(ctx, plan, options);
    } finally {
      const needed = await neededSources(ctx, version.project);
      for (const file of spooled) if (!needed.has(file)) await removeIfThere(file);
    }
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

/** Gives the local files that a later resume will want to send. */
async function neededSources(ctx: Context, project: string): Promise<ReadonlySet<string | undefined>> {
  const left = await leftUploads(ctx, project);
  return new Set(left.flatMap(({ session }) => session?.files.map(({ source }) => source) ?? []));
}

async function spool(
  ctx: Context,
  one: UploadContent & ({ content: string | Uint8Array } | { stream: Readable | ReadableStream<Uint8Array> }),
  spooled: string[],
  signal?: AbortSignal,
): Promise<{ source: string; size: number }> {
  await ctx.cache.open();
  const source = ctx.cache.layout.incoming(ownedName());
  makeCacheFolder(ctx.cache.layout, ctx.cache.layout.incomings);
  spooled.push(source);
  const target = createWriteStream(source, { flags: 'wx', mode: 0o600 });
  await pipeline(toReadable(one), target, signal === undefined ? {} : { signal });
  return { source, size: target.bytesWritten };
}

function toReadable(
  one: { content: string | Uint8Array } | { stream: Readable | ReadableStream<Uint8Array> },
): Readable {
  if ('content' in one) return Readable.from([Buffer.from(one.content)]);
  return one.stream instanceof Readable ? one.stream : Readable.from(one.stream);
}
