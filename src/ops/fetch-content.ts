import type { Stats } from 'node:fs';
import { writeBlob } from '../cache/blobs.ts';
import type { Content } from '../cache/contents.ts';
import type { Context } from '../context.ts';
import { GypsumError, isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { keys } from '../model/keys.ts';
import { entrySource } from '../model/manifest.ts';
import { type FileRef, formatFileRef } from '../model/refs.ts';
import { loadVersion } from './version-documents.ts';

/** How many links are followed from a file to the one that holds its bytes. */
const MAX_HOPS = 16;

/** Fetches a content from where its bytes are into its blob, verified; gives the blob's stats. */
export async function fetchContent(ctx: Context, content: Content, options: CallOptions): Promise<Stats> {
  let { source } = content;
  for (let hop = 0; ; hop++) {
    try {
      return await fetchFrom(ctx, content, source, options);
    } catch (error) {
      if (!isGypsumError(error, 'not-found')) throw error;
      const next = hop < MAX_HOPS ? await followLink(ctx, source, options) : undefined;
      if (next === undefined) throw gone(content, source, error);
      source = next;
    }
  }
}

async function fetchFrom(ctx: Context, content: Content, source: FileRef, options: CallOptions): Promise<Stats> {
  const { onEvent, signal } = options;
  return ctx.registry.stream(
    keys.file(source),
    async (body) => {
      let bytes = 0;
      const onBytes = (more: number) => {
        bytes += more;
        onEvent?.({ type: 'progress', task: 'fetch', files: 0, bytes: more });
      };
      try {
        const { layout } = ctx.cache;
        return await writeBlob(layout, content.source.project, content, formatFileRef(source), body, {
          signal,
          onBytes,
        });
      } catch (error) {
        onEvent?.({ type: 'progress', task: 'fetch', files: 0, bytes: -bytes });
        throw error;
      }
    },
    options,
  );
}

/** A manifest names the ancestor of a link to a link, but an old one may not: its target's own manifest does. */
async function followLink(ctx: Context, source: FileRef, options: CallOptions): Promise<FileRef | undefined> {
  const { path, ...ref } = source;
  try {
    const { manifest } = await loadVersion(ctx, ref, options);
    const entry = manifest[path];
    return entry?.link === undefined ? undefined : entrySource(ref, path, entry);
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

function gone(content: Content, source: FileRef, cause: unknown): GypsumError {
  const [file] = content.files;
  const what = file === undefined ? formatFileRef(source) : formatFileRef(file);
  return new GypsumError(
    'not-found',
    `The content of ${what} is not in the registry: ${formatFileRef(source)} does not exist.`,
    {
      hint: 'The version that held it may have been removed. Ask the people who run the registry.',
      details: { file, source },
      cause,
    },
  );
}
