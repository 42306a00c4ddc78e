import { z } from 'zod';
import { type Fingerprint, inodeId } from '../model/fingerprint.ts';
import { fingerprintSchema } from '../model/fingerprint-schema.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { sameVersion, type VersionRef } from '../model/refs.ts';
import { publishDocument } from './atomic.ts';
import type { Layout } from './layout.ts';
import { readIfThere } from './read-document.ts';
import { receiptId } from './receipts.ts';

/**
 * The files of a clone that are no symlinks, by their path in its version, as they looked when they held what the
 * version says. Losing it costs that they are read once more.
 */
export type CloneFiles = ReadonlyMap<string, Fingerprint>;

const cloneFilesSchema = z.object({
  project: z.string(),
  asset: z.string(),
  version: z.string(),
  files: z.array(z.tuple([z.string(), fingerprintSchema])),
});

/** Remembers the files of the clone of a version at a real path. */
export async function writeCloneFiles(
  layout: Layout,
  destination: string,
  { project, asset, version }: VersionRef,
  files: CloneFiles,
): Promise<void> {
  const document = { project, asset, version, files: [...files] };
  await publishDocument(layout, layout.cloneFiles(receiptId(destination)), JSON.stringify(document));
}

/** Gives what is remembered of the clone of a version at a real path: nothing of a clone of another version. */
export async function readCloneFiles(layout: Layout, destination: string, ref: VersionRef): Promise<CloneFiles> {
  const text = await readIfThere(layout.cloneFiles(receiptId(destination)));
  const known = text === undefined ? undefined : cloneFilesSchema.safeParse(parseJsonIfAny(text)).data;
  return new Map(known !== undefined && sameVersion(known, ref) ? known.files : []);
}

/** Gives the paths in its version of the files of a clone, by what they are, whatever their names are by now. */
export function pathsByInode(files: CloneFiles): Map<string, string> {
  return new Map([...files].map(([path, [dev, ino]]) => [inodeId({ dev, ino }), path]));
}
