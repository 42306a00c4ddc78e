import type { Content } from '../cache/contents.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { countFiles } from '../model/count.ts';
import { type Manifest, selectEntries } from '../model/manifest.ts';
import { checkVersionRef, formatRef, sameVersion, type VersionRef } from '../model/refs.ts';
import { eachContent, groupContents } from './content-parts.ts';
import { run } from './run.ts';
import { type SaveOptions, saveContents } from './save-contents.ts';
import type { SaveResult } from './save-version.ts';
import { loadVersion, versionIfAny } from './version-documents.ts';

/**
 * Makes the linked files of a version in the cache the same as the files that they are links to: one inode, or copies
 * where the file system has no hard links. What is missing is fetched, and what other clients left there as copies becomes
 * one. Throws what `saveVersion` throws; the result counts linked files only.
 */
export async function resolveLinks(ctx: Context, ref: VersionRef, options: SaveOptions = {}): Promise<SaveResult> {
  const version = checkVersionRef(ref);
  return run(ctx, options, async () => {
    const documents = await loadVersion(ctx, version, options);
    const manifest = selectEntries(documents.manifest, ({ link }) => link !== undefined);
    const manifests = new Map<string, Manifest | undefined>();
    const contents: Content[] = [];
    for (const content of eachContent(groupContents({ ref: version, manifest }))) {
      const isSame = await statesSame(ctx, content, manifests, options);
      contents.push(isSame ? { ...content, files: [...content.files, content.source] } : content);
    }
    const outcome = await saveContents(ctx, [contents], version, { ...options, relink: true });
    return {
      ...version,
      directory: ctx.cache.layout.versionFolder(version),
      ...countFiles(Object.values(manifest)),
      ...outcome,
    };
  });
}

/**
 * Whether the version that holds a content says so itself: a file of it is touched on nobody else's word. Of a version
 * that is gone nobody knows.
 */
async function statesSame(
  ctx: Context,
  { source, digest, size, files }: Content,
  manifests: Map<string, Manifest | undefined>,
  { signal, onEvent }: CallOptions,
): Promise<boolean> {
  const id = formatRef(source);
  if (files.some((file) => sameVersion(file, source) && file.path === source.path)) return false;
  if (!manifests.has(id)) {
    const { path: _path, ...ref } = source;
    manifests.set(id, (await versionIfAny(ctx, ref, { signal, onEvent }))?.manifest);
  }
  const entry = manifests.get(id)?.[source.path];
  return entry?.md5sum === digest.hex && entry.size === size;
}
