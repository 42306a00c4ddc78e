import { relative } from 'node:path';
import { readCloneFiles } from '../cache/clone-files.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { selectEntries } from '../model/manifest.ts';
import { checkVersionRef, sameVersion } from '../model/refs.ts';
import type { FillSymlink } from '../tree/step.ts';
import { putFiles, rememberFiles } from './clone-files.ts';
import type { FileClone, FileClones } from './file-clones.ts';
import type { CloneLink } from './find-clone-links.ts';
import { loadVersion } from './version-documents.ts';

/** A link that stands for a file of a version in a clone of real files. */
export interface Fill {
  readonly link: CloneLink;
  readonly text: string;
  readonly clone: FileClone;
}

/** Gives what a link is to become where it stands in a clone of real files; nothing of others, and of links to other versions. */
export function fillOf(clones: FileClones, link: CloneLink): Fill[] {
  const { source, file, text } = link;
  const clone = text === undefined ? undefined : clones.around(source);
  if (text === undefined || clone === undefined || !sameVersion(clone.receipt, file)) return [];
  return [{ link, text, clone }];
}

/** Puts files in the place of links, whose cached files must be there, in the modes of their clones. */
export async function fillLinks(ctx: Context, fills: readonly Fill[], options: CallOptions): Promise<void> {
  for (const clone of new Set(fills.map((fill) => fill.clone))) {
    const own = fills.filter((fill) => fill.clone === clone);
    await fillClone(ctx, clone, own, options);
  }
}

async function fillClone(
  ctx: Context,
  { root, receipt }: FileClone,
  fills: readonly Fill[],
  options: CallOptions,
): Promise<void> {
  const { layout } = ctx.cache;
  const { destination, mode } = receipt;
  const documents = await loadVersion(ctx, checkVersionRef(receipt), options);
  const { ref } = documents;
  const wanted = new Set(fills.map(({ link }) => link.file.path));
  const manifest = selectEntries(documents.manifest, (_, path) => wanted.has(path));
  const steps = fills.map(({ link: { source, file, size, md5sum }, text }): FillSymlink => {
    const digest = { algorithm: 'md5', hex: md5sum } as const;
    return {
      path: relative(root, source),
      before: { type: 'symlink', target: text },
      after: { type: 'file', mode, source: layout.file(file), size, digest },
    };
  });
  const inVersion = new Map(steps.map(({ path }, at) => [path, fills[at]?.link.file.path ?? path]));
  await putFiles(ctx, { ...documents, manifest }, root, mode, steps, {
    ...options,
    orCopy: true,
    async remember(made) {
      const files = new Map(await readCloneFiles(layout, destination, ref));
      for (const [path, seen] of made) files.set(inVersion.get(path) ?? path, seen);
      await rememberFiles(ctx, ref, root, files, { ...options, destination });
    },
  });
}
