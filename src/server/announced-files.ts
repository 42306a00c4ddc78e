import { z } from 'zod';
import { createPace } from '../give-way.ts';
import { parseMd5 } from '../model/digest.ts';
import { keys } from '../model/keys.ts';
import { MAX_FILE_BYTES } from '../model/manifest.ts';
import { MAX_KEY_BYTES, pathFault } from '../model/names.ts';
import type { FileRef, VersionRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { isBelow, parentPath, sortPaths } from '../model/tree.ts';
import { refuse } from './http.ts';
import { describe } from './permissions.ts';

const content = {
  path: z.string(),
  size: z.number().int().min(0).max(MAX_FILE_BYTES),
  md5sum: z.string().refine((text) => parseMd5(text) !== undefined, 'is not 32 hexadecimal digits'),
};

const announcedFile = z.discriminatedUnion('type', [
  z.object({ type: z.literal('simple'), ...content }),
  z.object({ type: z.literal('dedup'), ...content }),
  z.object({
    type: z.literal('link'),
    path: z.string(),
    link: z.object({ project: z.string(), asset: z.string(), version: z.string(), path: z.string() }),
  }),
]);

export interface AnnouncedContent {
  readonly path: string;
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
}

export interface AnnouncedLink {
  readonly path: string;
  readonly link: FileRef;
}

/** The files that the start of an upload announces, in its order. */
export interface AnnouncedFiles {
  readonly simple: readonly AnnouncedContent[];
  readonly dedup: readonly AnnouncedContent[];
  readonly links: readonly AnnouncedLink[];
}

/** Reads the `files` of an upload, or throws `refused` with the first that cannot be; others have their turn meanwhile. */
export async function checkAnnouncedFiles(files: unknown, ref: VersionRef): Promise<AnnouncedFiles> {
  if (!Array.isArray(files)) throw refuse('The "files" of an upload must be an array.');
  const announced = { simple: [] as AnnouncedContent[], dedup: [] as AnnouncedContent[], links: [] as AnnouncedLink[] };
  const paths = new Set<string>();
  const pace = createPace();
  for (const [index, value] of files.entries()) {
    if (pace.due()) await pace.rest();
    const parsed = announcedFile.safeParse(value);
    if (!parsed.success) throw refuse(`The entry ${index} of "files" is not valid: ${describe(parsed.error)}.`);
    const file = parsed.data;
    const name = `The path "${showText(file.path)}" of entry ${index}`;
    checkFilePath(file.path, ref, name);
    if (paths.has(file.path)) throw refuse(`${name} is there twice.`);
    paths.add(file.path);
    if (file.type === 'link') announced.links.push({ path: file.path, link: file.link });
    else announced[file.type].push({ path: file.path, size: file.size, md5sum: file.md5sum });
  }
  checkNoneBelow([...paths]);
  return announced;
}

function checkFilePath(path: string, ref: VersionRef, name: string): void {
  const fault = pathFault(path);
  if (fault) throw refuse(`${name} ${fault}.`);
  const longest = Math.max(
    Buffer.byteLength(keys.file({ ...ref, path })),
    Buffer.byteLength(keys.links(ref, parentPath(path))),
  );
  if (longest > MAX_KEY_BYTES) {
    throw refuse(`${name} is too long: its key has more than ${MAX_KEY_BYTES} bytes.`);
  }
}

function checkNoneBelow(paths: readonly string[]): void {
  let previous: string | undefined;
  for (const path of sortPaths(paths)) {
    if (previous !== undefined && isBelow(path, previous)) {
      throw refuse(`The path "${showText(path)}" lies below "${showText(previous)}", which is a file.`);
    }
    previous = path;
  }
}
