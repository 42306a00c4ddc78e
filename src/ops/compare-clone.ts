import { createPace } from '../give-way.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import { type Count, countFiles } from '../model/count.ts';
import type { FileRef } from '../model/refs.ts';
import { comparePaths, isBelow, type KnownFile } from '../model/tree.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { compareTrees } from '../tree/compare.ts';
import { pairMoved } from '../tree/pair-moved.ts';
import type { Found } from './found.ts';

/** What became of a path of a clone, or of its version, in the order in which they are told. */
export const CLONE_STATES = [
  /** It has the version's content the way the clone was made: by its symlink, or in a clone of real files as one. */
  'linked',
  /** A real file with the version's content, in a clone of symlinks. */
  'staged',
  'modified',
  'added',
  'deleted',
  /** The content of a path of the version that is gone. Of empty files, which are all the same, this is not said. */
  'moved',
  /** It leads to the version's content, which is not in the cache. */
  'dangling',
  /** A symlink to another content of the cache than the version has there, or with another text than the version's own. */
  'retargeted',
  /** The cached file that it leads to, or is by a hard link, holds something else than its version says. */
  'edited',
  /** A symlink to elsewhere. */
  'foreign',
  /** Neither a file nor a folder nor a link. */
  'special',
] as const;

export type CloneState = (typeof CLONE_STATES)[number];

/** Something of a clone that is not as the clone was made. */
export interface ClonePath {
  readonly path: string;
  /** What is, or was, no file: a symlink of the version's or the folder's own, or an empty folder. */
  readonly type?: 'symlink' | 'directory';
  readonly state: CloneState;
  /** Of the file, of what the link stands for, or of what was deleted. Units: bytes */
  readonly size: number;
  /** Where the version has what was moved. */
  readonly from?: string;
  /** The cached file that is linked to, where it was retargeted or edited. */
  readonly link?: FileRef;
  /** The text of a symlink to elsewhere, or of the folder's own. */
  readonly target?: string;
  /** The permissions that the folder has given to what had others in the version. */
  readonly mode?: number;
}

/** How a clone differs from its version. */
export interface Comparison {
  readonly states: Readonly<Record<CloneState, Count>>;
  /** Every path whose state is not `linked`, in the order of `comparePaths`. */
  readonly entries: readonly ClonePath[];
}

/** What is known of a clone besides what its folder holds. */
export interface Known {
  readonly mode: CloneMode;
  /** The digests of real files that may have a content of the version, by path. */
  readonly digests: ReadonlyMap<string, string>;
  /** Links whose cached file was edited, and those whose cached file is not there. */
  readonly edited: ReadonlySet<Found>;
  readonly gone: ReadonlySet<Found>;
  /** Permissions that are not the version's, by path. */
  readonly modes: ReadonlyMap<string, number>;
}

/** Compares a version, given as its tree, which may be gone through twice, with what a clone of it holds. */
export async function compareClone(
  wanted: Iterable<VersionEntry>,
  found: readonly Found[],
  known: Known,
  signal?: AbortSignal,
): Promise<Comparison> {
  const pace = createPace(signal);
  const linked = { files: 0, bytes: 0 };
  const entries: ClonePath[] = [];
  const deleted: KnownFile[] = [];
  const added: { entry: ClonePath; content: KnownFile | undefined }[] = [];
  const folders = foldersOf(found);
  // To make each of its files once more, to learn that none is a folder, would take a tenth of the time.
  let before: ReadonlySet<string> | undefined;
  const wasFolder = (path: string): boolean => {
    before ??= foldersOf(wanted);
    return before.has(path);
  };
  for (const [path, mode] of known.modes) {
    if (folders.has(path)) entries.push({ path, state: 'modified', size: 0, type: 'directory', mode });
  }
  for (const { path, left, right } of compareTrees(withoutFull(wanted), withoutFull(ownEntries(found)))) {
    if (pace.due()) await pace.rest();
    if (right === undefined) {
      if (left?.type === 'file') deleted.push(left);
      else if (left?.type === 'symlink' || !folders.has(path)) {
        entries.push({ path, state: 'deleted', size: 0, ...(left && kindOf(left)) });
      }
      continue;
    }
    if (right.type === 'directory' && wasFolder(path)) continue;
    const state = stateOf(left, right, known);
    const size = sizeOf(right);
    if (state === 'linked') {
      linked.files++;
      linked.bytes += size;
    } else if (state === 'added' && right.type !== 'symlink' && right.type !== 'directory') {
      const md5sum = md5Of(right, known);
      added.push({
        entry: { path, state, size },
        content: md5sum === undefined ? undefined : knownFile(path, size, md5sum),
      });
    } else entries.push({ path, state, size, ...whereTo(right, state), ...modeOf(path, known) });
  }
  const moved = pairMoved(
    deleted,
    added.flatMap(({ content }) => content ?? []),
  );
  const sources = new Set(moved.values());
  for (const file of deleted) {
    if (!sources.has(file)) entries.push({ path: file.path, state: 'deleted', size: file.size });
  }
  for (const { entry, content } of added) {
    const from = content === undefined ? undefined : moved.get(content)?.path;
    entries.push(from === undefined ? entry : { ...entry, state: 'moved', from });
  }
  entries.sort((a, b) => comparePaths(a.path, b.path));
  return { states: { ...countStates(entries), linked }, entries };
}

function foldersOf(entries: Iterable<{ readonly type: string; readonly path: string }>): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const { type, path } of entries) if (type === 'directory') folders.add(path);
  return folders;
}

/** Leaves out folders that are not empty: what is in them tells of them. */
function* withoutFull<E extends { readonly type: string; readonly path: string }>(entries: Iterable<E>): Generator<E> {
  let folder: E | undefined;
  for (const entry of entries) {
    if (folder !== undefined && !isBelow(entry.path, folder.path)) yield folder;
    folder = entry.type === 'directory' ? entry : undefined;
    if (folder === undefined) yield entry;
  }
  if (folder !== undefined) yield folder;
}

/** What stands in folders elsewhere is theirs: only the symlink to them is of the clone. */
function* ownEntries(found: readonly Found[]): Generator<Found> {
  for (const entry of found) if (!entry.isElsewhere) yield entry;
}

function stateOf(wanted: VersionEntry | undefined, entry: Found, known: Known): CloneState {
  if (entry.type === 'special') return 'special';
  if (entry.type === 'symlink') {
    if (!entry.isKept) return 'foreign';
    if (wanted?.type === 'symlink') return wanted.target === entry.target ? 'linked' : 'retargeted';
    return wanted === undefined ? 'added' : 'modified';
  }
  if (known.edited.has(entry)) return 'edited';
  if (wanted === undefined) return 'added';
  if (entry.type === 'directory' || wanted.type !== 'file') return 'modified';
  const isSame = entry.size === wanted.size && md5Of(entry, known) === wanted.digest.hex;
  if (isSame && known.modes.has(entry.path)) return 'modified';
  if (entry.type === 'link' && entry.how === 'symlink') {
    return !isSame ? 'retargeted' : known.gone.has(entry) ? 'dangling' : 'linked';
  }
  return !isSame ? 'modified' : known.mode === 'symlink' ? 'staged' : 'linked';
}

/** Gives the content that a file or link is known to have. */
function md5Of(entry: Found, { digests, edited }: Known): string | undefined {
  if (entry.type === 'link') return edited.has(entry) ? undefined : entry.md5sum;
  return digests.get(entry.path);
}

function knownFile(path: string, size: number, hex: string): KnownFile {
  return { type: 'file', path, size, digest: { algorithm: 'md5', hex } };
}

function sizeOf(entry: Found): number {
  return entry.type === 'special' || entry.type === 'directory' ? 0 : (entry.size ?? 0);
}

function kindOf({ type }: Found | VersionEntry): Pick<ClonePath, 'type'> {
  return type === 'symlink' || type === 'directory' ? { type } : {};
}

function modeOf(path: string, { modes }: Known): Pick<ClonePath, 'mode'> {
  const mode = modes.get(path);
  return mode === undefined ? {} : { mode };
}

function whereTo(entry: Found, state: CloneState): Pick<ClonePath, 'type' | 'link' | 'target'> {
  // A symlink that is not kept stands for what it leads to.
  if (entry.type === 'symlink') return { ...(entry.isKept && kindOf(entry)), target: entry.target };
  if (entry.type === 'directory') return kindOf(entry);
  return entry.type === 'link' && (state === 'retargeted' || state === 'edited') ? { link: entry.file } : {};
}

function countStates(entries: readonly ClonePath[]): Record<CloneState, Count> {
  const of = (state: CloneState) => countFiles(entries.filter((entry) => entry.state === state));
  return Object.fromEntries(CLONE_STATES.map((state) => [state, of(state)])) as Record<CloneState, Count>;
}
