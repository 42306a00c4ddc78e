import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import { callOf } from '../events.ts';
import { mergeTrees } from '../model/merge-trees.ts';
import { isContents, mapPut } from '../model/put-mapping.ts';
import { checkVersionRef, formatRef, type Ref } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { entryAt, nameOf } from '../model/tree.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { sameEntry } from '../tree/compare.ts';
import { digestFile } from './digest-file.ts';
import { fetchLatest } from './fetch-latest.ts';
import { findInTree } from './find-in-tree.ts';
import { loadTree } from './load-tree.ts';
import {
  type ChangedTree,
  type ChangeTreeOptions,
  checkAbove,
  findNext,
  type NextVersion,
  type Origin,
  publishTree,
} from './publish-tree.ts';
import { findPutSource } from './put-source.ts';
import { readPut } from './read-put.ts';
import { run } from './run.ts';
import { type LooseContent, type Spool, withSpool } from './spool.ts';

/** What is added: a local file, content in memory or a stream, or a file of a version, by its path there. */
export type AddSource = { readonly file: string } | LooseContent | { readonly ref: Ref; readonly path: string };

export interface AddOptions extends Omit<ChangeTreeOptions, 'ignoreErrors'> {
  /** What it is called in the version; with a slash at the end, the folder that it goes into. @default '/' */
  path?: string;
  /** Replace a file or symlink that is there. @default false */
  force?: boolean;
  /** Of a local symlink, add what it leads to. @default false */
  followLinks?: boolean;
}

/** A file or symlink that is to be in a version. */
interface Added {
  readonly entry: VersionEntry;
  readonly origin?: Origin;
}

/**
 * Makes the next version of an asset of its latest one and one file more. Throws `invalid-argument` for what is no file, and
 * `destination-refused` if something is there already, unless it may be replaced.
 */
export async function addFile(
  ctx: Context,
  ref: Ref,
  source: AddSource,
  { path = '/', force = false, followLinks = false, ...options }: AddOptions = {},
): Promise<ChangedTree> {
  return run(ctx, options, async () => {
    const next = await findNext(ctx, ref, options);
    return withSpool(ctx, ref.project, options.signal, async (spool) => {
      const { entry, origin } = await readSource(ctx, source, { path, followLinks, spool, options });
      checkAbove(next.base, entry.path);
      checkFree(next, entry, force);
      const tree = mergeTrees(next.base?.tree.entries ?? [], [entry]);
      return publishTree(ctx, next, tree, new Map(origin && [[entry.path, origin]]), options);
    });
  });
}

interface Reading {
  readonly path: string;
  readonly followLinks: boolean;
  readonly spool: Spool;
  readonly options: ChangeTreeOptions;
}

async function readSource(ctx: Context, source: AddSource, reading: Reading): Promise<Added> {
  if ('file' in source) return readLocal(ctx, source.file, reading);
  if ('ref' in source) return readRemote(ctx, source, reading);
  const { path, spool, options } = reading;
  if (isContents(path)) throw noName(path);
  const { source: file, size } = await spool(source);
  const { md5sum } = await digestFile(file, options.signal);
  return { entry: fileEntry(mapPut('', path), size, md5sum), origin: { source: file } };
}

async function readLocal(ctx: Context, file: string, { path, followLinks, options }: Reading): Promise<Added> {
  const source = findPutSource(file, path, followLinks);
  if (source.name === undefined) {
    throw new GypsumError('invalid-argument', `${showText(file)} is a folder, and only one file can be added.`, {
      hint: 'Use "gypsum put" for folders.',
      details: { file },
    });
  }
  const { entries, origins, faults } = await readPut(ctx, source, {
    ...callOf(options),
    followLinks,
    noOutside: false,
    isExcluded: () => false,
  });
  const [entry] = entries;
  if (entry !== undefined && faults.length === 0) {
    const origin = origins.get(entry.path);
    return { entry, ...(origin !== undefined && { origin }) };
  }
  throw new GypsumError('invalid-argument', `${showText(file)} ${faults[0]?.why ?? 'is no file'}.`, {
    hint: 'Give a file.',
    details: { file },
  });
}

/** Finds a file of a version, which is linked to. */
async function readRemote(
  ctx: Context,
  { ref: { version, ...asset }, path: from }: Extract<AddSource, { ref: Ref }>,
  { path, options }: Reading,
): Promise<Added> {
  const call = callOf(options);
  const ref = version === undefined ? await fetchLatest(ctx, asset, call) : checkVersionRef({ ...asset, version });
  const { tree } = await loadTree(ctx, ref, call);
  const { entry } = findInTree({ ref, ...tree }, from);
  const known = entryAt(tree.entries, entry.path);
  if (known?.type !== 'file') {
    throw new GypsumError(
      'invalid-argument',
      `${formatRef(ref)}:${showText(from)} is a folder, and only one file can be added.`,
      {
        hint: 'Give the path of a file.',
        details: { ...ref, path: from },
      },
    );
  }
  const target = mapPut(nameOf(from), path);
  return { entry: { ...known, path: target }, origin: { link: { ...ref, path: known.path } } };
}

function fileEntry(path: string, size: number, md5sum: string): VersionEntry {
  return { type: 'file', path, size, digest: { algorithm: 'md5', hex: md5sum } };
}

function checkFree({ base }: NextVersion, entry: VersionEntry, force: boolean): void {
  const was = base && entryAt(base.tree.entries, entry.path);
  if (base === undefined || was === undefined) return;
  const there = `"${showText(entry.path)}" is in ${formatRef(base.ref)} already`;
  if (was.type === 'directory') {
    throw taken(
      `${there}, as a folder.`,
      'Give the path of a file; with a slash at the end, it goes into the folder.',
      entry,
    );
  }
  if (force) return;
  const how =
    was.type === 'symlink' ? 'as a symlink' : `with ${sameEntry(was, entry) ? 'the same' : 'different'} content`;
  throw taken(`${there}, ${how}.`, 'Use --force (in programs: force) to replace it.', entry);
}

function taken(message: string, hint: string, { path }: VersionEntry): GypsumError {
  return new GypsumError('destination-refused', message, { hint, details: { path } });
}

function noName(path: string): GypsumError {
  return new GypsumError('invalid-argument', `"${showText(path)}" does not say what the file is called.`, {
    hint: 'Give its path in the version, such as "/folder/file.txt".',
    details: { path },
  });
}
