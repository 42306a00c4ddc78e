import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import { checkFreeSpace } from '../cache/free-space.ts';
import { GypsumError, isGypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import { fsPath } from '../model/local-path.ts';
import { formatFileRef } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { emptyFolder, type FillOptions, fillFolder } from '../tree/fill-folder.ts';
import { type Kept, keepFacts } from '../tree/keep-facts.ts';
import { freshName, moveToFree, putFile, removeIfThere } from '../tree/put-file.ts';
import { readVerified } from '../tree/read-verified.ts';
import { type TarEntry, writeTar } from '../tree/write-tar.ts';
import { removeFolders } from './clone-destination.ts';
import { isThereAlready } from './export-destination.ts';
import { fileChanged } from './file-changed.ts';
import type { ExportedFile } from './read-export.ts';

/** What is to be written, and where. */
export interface Export {
  /** The folder or tar file to be made, an absolute path. */
  readonly place: string;
  /** In the order of `comparePaths`; made anew each time that they are gone through. */
  readonly steps: Iterable<TarEntry>;
  /** How many steps there are. */
  readonly length: number;
  readonly files: readonly ExportedFile[];
  /** Gives where the bytes of a file are. */
  readonly locate: (file: ExportedFile) => string;
  /** The time of what stands in a tar file. */
  readonly mtime: Date;
}

type WriteOptions = CallOptions & Pick<FillOptions, 'onRefused'>;

/** Whether an export to a place is a tar file. */
export function isTar(place: string): boolean {
  return place.endsWith('.tar');
}

/** Makes all of it, or nothing: what is being written has a name beside the place, and is verified before it gets its own. */
export async function writeExport(what: Export, options: WriteOptions): Promise<void> {
  const { place, length, files } = what;
  const { bytes } = countFiles(files);
  await checkFreeSpace(dirname(place), bytes, showText(place), {
    why: 'are to be written',
    hint: 'Free some, or export to another disk.',
  });
  options.onEvent?.({ type: 'start', task: 'export', files: length, bytes });
  await (isTar(place) ? writeTarFile : writeFolder)(what, createByName(what), options);
  options.onEvent?.({ type: 'end', task: 'export' });
}

async function writeFolder({ place, steps }: Export, byName: ByName, options: WriteOptions): Promise<void> {
  const fresh = freshName(dirname(place));
  mkdirSync(fsPath(fresh));
  try {
    await fillFolder(fresh, steps, {
      ...options,
      put: { ...putFile, copy: (source, to, ...rest) => byName(source, putFile.copy(source, to, ...rest)) },
    });
    options.signal?.throwIfAborted();
    // A rename would replace an empty folder.
    if (statIfThere(place) !== undefined) throw isThereAlready(place);
    await keepFacts(fresh, [...folderRights(steps)], createPace());
    renameSync(fsPath(fresh), fsPath(place));
  } catch (error) {
    await emptyFolder(fresh);
    removeFolders([fresh]);
    throw error;
  }
}

function* folderRights(steps: Iterable<TarEntry>): Generator<Kept> {
  for (const { path, after } of steps) {
    if (after.type !== 'directory' || after.permissions === undefined) continue;
    yield { path, type: 'directory', mode: after.permissions };
  }
}

async function writeTarFile({ place, steps, mtime }: Export, byName: ByName, options: CallOptions): Promise<void> {
  const fresh = freshName(dirname(place));
  try {
    await writeTar(fresh, steps, {
      ...options,
      mtime,
      read: (source, ...rest) => byName(source, readVerified(source, ...rest)),
    });
    options.signal?.throwIfAborted();
    moveToFree(fresh, place);
  } catch (error) {
    throw isSystemError(error, 'EEXIST') ? isThereAlready(place) : error;
  } finally {
    removeIfThere(fresh);
  }
}

/** Waits for the work with a source; what is wrong with its content is said by the file's name. */
type ByName = (source: string, work: Promise<void>) => Promise<void>;

function createByName({ files, locate }: Export): ByName {
  return async (source, work) => {
    try {
      await work;
    } catch (error) {
      if (!isGypsumError(error, 'wrong-content')) throw error;
      const link = files.findLast((file) => file.file !== undefined && locate(file) === source);
      throw link === undefined ? fileChanged(source, error) : editedInCache(link, error);
    }
  };
}

function editedInCache({ path, file }: ExportedFile, cause: unknown): GypsumError {
  const published = file === undefined ? '' : `, ${formatFileRef(file)},`;
  return new GypsumError(
    'wrong-content',
    `${showText(path)} cannot be exported: what it is a link to${published} was edited or damaged in the cache.`,
    {
      hint: 'To keep an edit, have it made a file of the folder: gypsum stage --rescue FILE. If it is not wanted: gypsum cache verify --repair, which moves it aside.',
      details: { path, file },
      cause,
    },
  );
}
