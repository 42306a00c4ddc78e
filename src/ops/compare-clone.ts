import { createPace } from '../give-way.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import { type Count, countFiles } from '../model/count.ts';
import { type Manifest, manifestPaths } from '../model/manifest.ts';
import type { FileRef } from '../model/refs.ts';
import { comparePaths, type KnownFile } from '../model/tree.ts';
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
  /** A symlink to another content of the cache than the version has there. */
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
  readonly state: CloneState;
  /** Of the file, of what the link stands for, or of what was deleted. Units: bytes */
  readonly size: number;
  /** Where the version has what was moved. */
  readonly from?: string;
  /** The cached file that is linked to, where it was retargeted or edited. */
  readonly link?: FileRef;
  /** The text of a symlink to elsewhere. */
  readonly target?: string;
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
}

/** Compares a version with what a clone of it holds. */
export async function compareClone(
  manifest: Manifest,
  found: readonly Found[],
  known: Known,
  signal?: AbortSignal,
): Promise<Comparison> {
  const pace = createPace(signal);
  const linked = { files: 0, bytes: 0 };
  const entries: ClonePath[] = [];
  const deleted: KnownFile[] = [];
  const added: { entry: ClonePath; content: KnownFile | undefined }[] = [];
  for (const { path, left, right } of compareTrees(versionFiles(manifest), ownEntries(found))) {
    if (pace.due()) await pace.rest();
    if (right === undefined) {
      if (left !== undefined) deleted.push(knownFile(path, left.size, left.md5sum));
      continue;
    }
    const state = stateOf(left, right, known);
    const size = sizeOf(right);
    if (state === 'linked') {
      linked.files++;
      linked.bytes += size;
    } else if (state === 'added') {
      const md5sum = md5Of(right, known);
      added.push({
        entry: { path, state, size },
        content: md5sum === undefined ? undefined : knownFile(path, size, md5sum),
      });
    } else entries.push({ path, state, size, ...whereTo(right, state) });
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

interface VersionFile {
  readonly path: string;
  readonly size: number;
  readonly md5sum: string;
}

function* versionFiles(manifest: Manifest): Generator<VersionFile> {
  for (const path of manifestPaths(manifest)) {
    const entry = manifest[path];
    if (entry !== undefined) yield { path, size: entry.size, md5sum: entry.md5sum };
  }
}

/** What stands in folders elsewhere is theirs: only the symlink to them is of the clone. */
function* ownEntries(found: readonly Found[]): Generator<Found> {
  for (const entry of found) if (!entry.isElsewhere) yield entry;
}

function stateOf(wanted: VersionFile | undefined, entry: Found, known: Known): CloneState {
  if (entry.type === 'special') return 'special';
  if (entry.type === 'symlink') return 'foreign';
  if (known.edited.has(entry)) return 'edited';
  if (wanted === undefined) return 'added';
  const isSame = entry.size === wanted.size && md5Of(entry, known) === wanted.md5sum;
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
  return entry.type === 'special' ? 0 : (entry.size ?? 0);
}

function whereTo(entry: Found, state: CloneState): Pick<ClonePath, 'link' | 'target'> {
  if (entry.type === 'symlink') return { target: entry.target };
  return entry.type === 'link' && (state === 'retargeted' || state === 'edited') ? { link: entry.file } : {};
}

function countStates(entries: readonly ClonePath[]): Record<CloneState, Count> {
  const of = (state: CloneState) => countFiles(entries.filter((entry) => entry.state === state));
  return Object.fromEntries(CLONE_STATES.map((state) => [state, of(state)])) as Record<CloneState, Count>;
}
