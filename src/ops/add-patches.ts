import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { isGypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace, type Pace } from '../give-way.ts';
import { sameContent } from '../model/content.ts';
import {
  type EntryState,
  type FileChange,
  type FileState,
  fileState,
  type SymlinkState,
} from '../model/file-change.ts';
import { keys } from '../model/keys.ts';
import { encodePath } from '../model/local-path.ts';
import { isRunnable } from '../model/modes.ts';
import { type FileRef, formatFileRef } from '../model/refs.ts';
import { createTextPatch, type GitMode, type PatchSide } from '../model/text-patch.ts';
import { readVerified } from '../tree/read-verified.ts';
import { createVerifier, type Expected } from '../verify-stream.ts';
import { fileChanged } from './file-changed.ts';
import { followLinks } from './follow-links.ts';
import type { Comparable } from './read-comparable.ts';
import type { SaveOptions } from './save-contents.ts';
import { saveFileRefs } from './save-file-refs.ts';

/** What became of an entry, line by line if that was asked for. */
export type ShownChange = FileChange & {
  /** A unified diff, of text in UTF-8; of programs and symlinks with what git says of them. */
  readonly patch?: string;
  /** Why there is none: it is no text, larger than a patch is made of, or there are too many. */
  readonly noPatch?: 'binary' | 'large' | 'many';
};

export interface PatchOptions extends SaveOptions {
  /** Up to which size files are compared line by line. @default 1 MiB. Units: bytes */
  maxText?: number;
}

/** How large all files together may be that are compared line by line, as a multiple of what one may be. */
const TOGETHER = 64;

const MIB = 1024 * 1024;

/**
 * Adds patches to changes, as far as the files are text and not too large. What is only in versions is fetched into the
 * cache, verified, but not more than the limits allow.
 */
export async function addPatches(
  ctx: Context,
  before: Comparable,
  after: Comparable,
  changes: readonly FileChange[],
  { maxText = MIB, ...options }: PatchOptions,
): Promise<ShownChange[]> {
  const plan = planPatches(changes, maxText);
  const places = [...plan.values()].flatMap((one) => (typeof one === 'string' ? [] : one));
  const files = places.filter(({ state, isRead }) => isRead && fileState(state) !== undefined);
  const wanted = files.map(({ side, path }) => (side === 'before' ? before : after).locate(path));
  // What is there and wrong was edited by somebody: a comparison leaves that alone.
  const isMissing = (file: FileRef) => statIfThere(ctx.cache.layout.file(file)) === undefined;
  await saveFileRefs(ctx, wanted.filter((file) => typeof file !== 'string').filter(isMissing), options);
  const pace = createPace(options.signal);
  const read = async ({ side, path, state, isRead }: Text): Promise<PatchSide> => {
    if ('target' in state) return { path, content: encodePath(state.target), mode: '120000' };
    const place = (side === 'before' ? before : after).locate(path);
    const content = isRead ? await readContent(ctx, place, state, pace, options) : Buffer.alloc(0);
    return { path, content, mode: gitMode(state) };
  };
  const shown: ShownChange[] = [];
  for (const change of changes) {
    const planned = plan.get(change) ?? [];
    if (typeof planned === 'string') shown.push({ ...change, noPatch: planned });
    else if (planned.length === 0) shown.push(change);
    else {
      const [left, right] = [planned.find(isBefore), planned.find((text) => !isBefore(text))];
      const patch = await createTextPatch({
        ...(left !== undefined && { before: await read(left) }),
        ...(right !== undefined && { after: await read(right) }),
      });
      shown.push(patch === undefined ? { ...change, noPatch: 'binary' } : { ...change, patch });
    }
    if (pace.due()) await pace.rest();
  }
  return shown;
}

/** One side of a change that is to be told. */
interface Text {
  readonly side: 'before' | 'after';
  readonly path: string;
  readonly state: FileState | SymlinkState;
  /** The content has changed, and not only its mode. */
  readonly isRead: boolean;
}

function isBefore({ side }: Text): boolean {
  return side === 'before';
}

function gitMode({ mode = 0 }: FileState): GitMode {
  return isRunnable(mode) ? '100755' : '100644';
}

/** Says of each change what is to be read for its patch, or why it gets none; nothing where there is nothing to show. */
function planPatches(
  changes: readonly FileChange[],
  maxText: number,
): Map<FileChange, readonly Text[] | 'large' | 'many'> {
  const plan = new Map<FileChange, readonly Text[] | 'large' | 'many'>();
  let left = maxText * TOGETHER;
  for (const change of changes) {
    const texts = textsOf(change);
    const sizes = texts.map(({ state, isRead }) => (isRead ? sizeOf(state) : 0));
    const sum = sizes.reduce((all, size) => all + size, 0);
    if (sum === 0 && !texts.some(({ state }) => isRunnable(fileState(state)?.mode ?? 0))) continue;
    if (Math.max(...sizes) > maxText) plan.set(change, 'large');
    else if (sum > left) plan.set(change, 'many');
    else {
      left -= sum;
      plan.set(change, texts);
    }
  }
  return plan;
}

/** Gives what a patch can tell of: files and symlinks, but none that moved. */
function textsOf(change: FileChange): Text[] {
  if (change.type === 'moved') return [];
  const before = 'before' in change ? notFolder(change.before) : undefined;
  const after = 'after' in change ? notFolder(change.after) : undefined;
  const [left, right] = [before && fileState(before), after && fileState(after)];
  const isRead = left === undefined || right === undefined || !sameContent(left, right);
  if (!isRead && gitMode(left) === gitMode(right)) return [];
  const { path } = change;
  return [
    ...(before === undefined ? [] : [{ side: 'before', path, state: before, isRead } as const]),
    ...(after === undefined ? [] : [{ side: 'after', path, state: after, isRead } as const]),
  ];
}

function notFolder(state: EntryState): Text['state'] | undefined {
  return 'type' in state && state.type === 'directory' ? undefined : state;
}

function sizeOf(state: FileState | SymlinkState): number {
  return 'target' in state ? Buffer.byteLength(state.target) : state.size;
}

async function readContent(
  ctx: Context,
  file: FileRef | string,
  { size, md5sum }: FileState,
  pace: Pace,
  options: CallOptions,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  const expected = { size, digest: { algorithm: 'md5', hex: md5sum } } as const;
  const place = typeof file === 'string' ? file : ctx.cache.layout.file(file);
  try {
    await readVerified(place, expected, pace, (bytes) => void chunks.push(Buffer.from(bytes)));
    return Buffer.concat(chunks);
  } catch (error) {
    if (!isGypsumError(error, 'wrong-content')) throw error;
    if (typeof file === 'string') throw fileChanged(file, error);
    return readFromRegistry(ctx, file, expected, options);
  }
}

/** Gives a content that the cache has lost to an edit, which stays there. */
async function readFromRegistry(
  ctx: Context,
  file: FileRef,
  expected: Expected,
  options: CallOptions,
): Promise<Uint8Array> {
  const source = (await followLinks(ctx, file, options)).at(-1) ?? file;
  const content = await ctx.registry.read(keys.file(source), expected.size, options);
  const verifier = createVerifier(expected, formatFileRef(source));
  verifier.update(content);
  verifier.end();
  return content;
}
