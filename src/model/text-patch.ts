import { isUtf8 } from 'node:buffer';

/** Two states of a text, either of which may be none, by the names that a patch gives them. */
export interface TextChange {
  readonly before?: PatchSide;
  readonly after?: PatchSide;
}

export interface PatchSide {
  readonly path: string;
  readonly content: Uint8Array;
  /** What git has it be. @default '100644' */
  readonly mode?: GitMode;
}

/** A file, a program, or a symlink whose text is the content. */
export type GitMode = '100644' | '100755' | '120000';

/**
 * Up to how many lines added and removed the shortest way from one text to the other is looked for; past that, the whole
 * text is replaced. To find out that it is longer takes 0.3 s for 30,000 lines, and the square of it for more.
 */
const MAX_EDITS = 2_000;

/**
 * Gives a unified diff, which `patch -p1` and `git apply` take; nothing for what is no text in UTF-8, and where nothing differs. Of
 * programs and symlinks it says as git does what they are, and has what becomes something else go and come.
 */
export async function createTextPatch({ before, after }: TextChange): Promise<string | undefined> {
  if (before === undefined || after === undefined || isSymlink(before) === isSymlink(after)) {
    return createPatch({ ...(before && { before }), ...(after && { after }) }, [before, after].some(isNoFile));
  }
  const parts = [await createPatch({ before }, true), await createPatch({ after }, true)];
  return parts.includes(undefined) ? undefined : parts.join('');
}

async function createPatch({ before, after }: TextChange, isGit: boolean): Promise<string | undefined> {
  const [left, right] = [before, after].map((one) => (one === undefined ? '' : readText(one.content)));
  if (left === undefined || right === undefined) return undefined;
  if (left === right && !isGit) return undefined;
  // It is loaded where it is needed: that takes longer than all else that a command loads.
  const { FILE_HEADERS_ONLY, formatPatch, structuredPatch } = await import('diff');
  const oldName = before === undefined ? NOTHING : `a/${before.path}`;
  const newName = after === undefined ? NOTHING : `b/${after.path}`;
  const options = { context: 3, maxEditLength: MAX_EDITS };
  const isWhole = left === '' || right === '';
  const found = isWhole ? undefined : structuredPatch(oldName, newName, left, right, undefined, undefined, options);
  const patch = found ?? {
    ...NO_HEADERS,
    oldFileName: oldName,
    newFileName: newName,
    hunks: left === right ? [] : [replaceAll(left, right)],
  };
  return formatPatch({ ...patch, ...(isGit && gitHeader({ before, after })) }, FILE_HEADERS_ONLY);
}

function isSymlink({ mode }: PatchSide): boolean {
  return mode === '120000';
}

function isNoFile(side: PatchSide | undefined): boolean {
  return side?.mode !== undefined && side.mode !== FILE;
}

function gitHeader({ before, after }: { [Side in keyof TextChange]: TextChange[Side] | undefined }) {
  return {
    isGit: true,
    ...(before === undefined && { isCreate: true }),
    ...(after === undefined && { isDelete: true }),
    oldMode: before?.mode ?? FILE,
    newMode: after?.mode ?? FILE,
  };
}

const FILE = '100644';

const NOTHING = '/dev/null';

const NO_HEADERS = { oldHeader: undefined, newHeader: undefined };

function readText(content: Uint8Array): string | undefined {
  if (!isUtf8(content) || content.includes(0)) return undefined;
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('utf8');
}

function replaceAll(left: string, right: string) {
  const [removed, added] = [linesOf(left, '-'), linesOf(right, '+')];
  return {
    oldStart: 1,
    oldLines: removed.count,
    newStart: 1,
    newLines: added.count,
    lines: [...removed.lines, ...added.lines],
  };
}

function linesOf(text: string, sign: '-' | '+'): { readonly count: number; readonly lines: readonly string[] } {
  if (text === '') return { count: 0, lines: [] };
  const isEnded = text.endsWith('\n');
  const lines = (isEnded ? text.slice(0, -1) : text).split('\n').map((line) => sign + line);
  return { count: lines.length, lines: isEnded ? lines : [...lines, '\\ No newline at end of file'] };
}
