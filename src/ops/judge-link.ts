import { lstatSync, type Stats } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { GypsumError } from '../errors.ts';
import type { Pace } from '../give-way.ts';
import { type Fingerprint, fingerprintOf, inodeId, sameFingerprint } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { showText } from '../model/text.ts';
import { type Entry, isBelow } from '../model/tree.ts';
import type { Pair } from '../tree/compare.ts';
import { reach } from '../tree/places.ts';
import { createSymlinkResolver, type SymlinkResolver } from '../tree/resolve-symlink.ts';
import { sameBytes } from '../tree/same-bytes.ts';
import { statThrough } from '../tree/stat-through.ts';
import type { Before, Step } from '../tree/step.ts';
import type { LinkedFile, LinkFolders, LinkType } from './link-plan.ts';

export interface LinkRules {
  /** Without it, links that are right stay as they are, and new ones are relative. */
  readonly linkType?: LinkType | undefined;
  /** Put links also where the destination has nothing, and make folders for them. */
  readonly createDst: boolean;
  /** Put links in the place of symlinks that lead nowhere, too. */
  readonly relink: boolean;
}

/** What is to be said of one path, and done: there is no file where a folder is to be made. */
export interface Judgement {
  readonly file?: LinkedFile;
  readonly step?: Step;
}

/**
 * Units: bytes. What the text of a symlink may have
 * Source: Linux, PATH_MAX
 */
const MAX_LINK_BYTES = 4095;

interface Verdict extends Omit<LinkedFile, 'path'> {
  /** A link is to be put in the place of this, or of nothing, to the file that looks so. */
  readonly replace?: { readonly before?: Before; readonly seen: Fingerprint };
}

/** One file of the source, and its place in the destination. */
interface Subject {
  readonly source: string;
  readonly place: string;
  /** The text of the link that would be put there. */
  readonly target: string;
  readonly right: Entry | undefined;
  readonly toSource: SymlinkResolver;
}

/** What stands in the destination where the source has a folder, and cannot be gone through. */
interface Barrier {
  readonly path: string;
  readonly type: Entry['type'];
  /** Why the folder cannot be read. */
  readonly message?: string;
}

/** Gives the text of a link to the file of the source at a path. */
export function linkText({ source, destination }: LinkFolders, path: string, linkType: LinkType): string {
  const file = join(source, path);
  return linkType === 'absolute' ? file : relative(dirname(join(destination, path)), file);
}

/**
 * Makes a judge of what two folders have at a path, to be asked in their order: it says what a file of the source is to
 * the destination's, and what is to be done; nothing of what is no file there. It reads no more than it must. Folders of
 * the destination that are `unreadable` are told by their paths, with why.
 */
export function createLinkJudge(
  folders: LinkFolders & { readonly realSource: string },
  rules: LinkRules,
  unreadable: ReadonlyMap<string, string>,
  pace: Pace,
): (pair: Pair<Entry, Entry>) => Promise<Judgement> {
  const toDestination = createSymlinkResolver(folders.destination);
  const toSource = createSymlinkResolver(folders.realSource);
  let barrier: Barrier | undefined;
  return async ({ path, left, right }) => {
    if (left === undefined) return {};
    if (barrier !== undefined && !isBelow(path, barrier.path)) barrier = undefined;
    if (left.type === 'directory') {
      if (right === undefined && barrier === undefined && rules.createDst) return { step: { path, after: left } };
      if (barrier === undefined && right !== undefined) barrier = barrierOf(right, unreadable.get(path));
      return {};
    }
    const source = join(folders.realSource, path);
    const place = join(folders.destination, path);
    const target = linkText(folders, path, rules.linkType ?? 'relative');
    const verdict =
      judgeSource(left, source, toDestination) ??
      (barrier === undefined
        ? await judgeFile({ source, place, target, right, toSource }, rules, pace)
        : judgeBehind(barrier, source, place));
    if (verdict === 'folder') return {};
    const { replace, ...file } = verdict;
    if (replace === undefined) return { file: { path, ...file } };
    const length = Buffer.byteLength(fsPath(target));
    if (length > MAX_LINK_BYTES) return { file: { path, state: 'failed', message: tooFar(length) } };
    const { before, seen } = replace;
    const after = { type: 'symlink', target, seen } as const;
    return { file: { path, ...file, target }, step: { path, ...(before !== undefined && { before }), after } };
  };
}

/** Judges by the source alone, if that is enough. */
function judgeSource(entry: Entry, source: string, resolver: SymlinkResolver): Verdict | 'folder' | undefined {
  if (entry.type === 'special') return { state: 'type-differs', message: 'It is no file in the source.' };
  if (entry.type !== 'symlink') return undefined;
  const to = resolver.resolve(dirname(source), entry.target);
  if (to.type === 'inside') return { state: 'alias', message: 'The source leads into the destination.' };
  if (to.type === 'loop' || !to.exists) return { state: 'failed', message: 'The source is a link that leads nowhere.' };
  const stats = statThrough(source);
  if (stats?.isDirectory()) return 'folder';
  return stats === undefined || stats.isFile()
    ? undefined
    : { state: 'type-differs', message: 'It is no file in the source.' };
}

function barrierOf({ path, type }: Entry, message: string | undefined): Barrier | undefined {
  if (type !== 'directory') return { path, type };
  return message === undefined ? undefined : { path, type, message };
}

/** Judges what lies below something in the destination that is no folder, or cannot be read. */
function judgeBehind(barrier: Barrier, source: string, place: string): Verdict {
  const above = showText(barrier.path);
  if (barrier.message !== undefined) return { state: 'failed', message: barrier.message };
  if (barrier.type !== 'symlink') return { state: 'type-differs', message: `${above} is no folder.` };
  const there = statThrough(place);
  return there !== undefined && sameInode(there, statOf(source))
    ? { state: 'alias', message: `It is already the same file, through the symlink ${above}.` }
    : { state: 'alias', message: `It would be reached through the symlink ${above}.` };
}

async function judgeFile(subject: Subject, rules: LinkRules, pace: Pace): Promise<Verdict> {
  const { source, place, right } = subject;
  const stats = statOf(source);
  const seen = fingerprintOf(stats);
  if (right === undefined) return { state: 'missing', ...(rules.createDst && { replace: { seen } }) };
  if (right.type === 'symlink') return judgeSymlink({ ...subject, right }, stats, rules, pace);
  if (right.type !== 'file') return { state: 'type-differs', message: noFile(right) };
  const own = reach(place, (at) => lstatSync(fsPath(at)));
  if (sameInode(own, stats)) return { state: 'alias', message: 'Both are already the same file.' };
  if (!(await holdSame(source, stats, place, own, pace))) return { state: 'different' };
  return { state: 'same', replace: { before: { type: 'file', seen: fingerprintOf(own) }, seen } };
}

async function judgeSymlink(
  { source, place, target, right, toSource }: Subject & { right: Extract<Entry, { type: 'symlink' }> },
  stats: Stats,
  { linkType, relink }: LinkRules,
  pace: Pace,
): Promise<Verdict> {
  const replace = { before: { type: 'symlink', target: right.target }, seen: fingerprintOf(stats) } as const;
  const there = statThrough(place);
  if (there === undefined) return { state: 'broken-link', target: right.target, ...(relink && { replace }) };
  if (!there.isFile()) return { state: 'type-differs', message: 'It leads to a folder or a special file.' };
  if (sameInode(there, stats)) {
    if (toSource.resolve(dirname(place), right.target).type !== 'inside') {
      return { state: 'alias', target: right.target, message: 'Both lead to the same file.' };
    }
    const isOther = linkType !== undefined && right.target !== target;
    return { state: 'already-linked', target: right.target, ...(isOther && { replace }) };
  }
  return (await holdSame(source, stats, place, there, pace)) ? { state: 'same', replace } : { state: 'different' };
}

/** Whether two files hold the same, by their sizes, else by their bytes. Throws `file-changed` if one is written to meanwhile. */
async function holdSame(source: string, stats: Stats, place: string, own: Stats, pace: Pace): Promise<boolean> {
  if (stats.size !== own.size) return false;
  const isSame = await sameBytes(source, place, pace);
  for (const [path, before] of [
    [source, stats],
    [place, own],
  ] as const) {
    if (!sameFingerprint(fingerprintOf(statOf(path)), fingerprintOf(before))) throw changed(path);
  }
  return isSame;
}

function sameInode(a: Stats, b: Stats): boolean {
  return inodeId(a) === inodeId(b);
}

function statOf(path: string): Stats {
  const stats = statThrough(path);
  if (stats === undefined) throw changed(path);
  return stats;
}

function changed(path: string): GypsumError {
  return new GypsumError('file-changed', `${showText(path)} changed while it was looked at.`, {
    hint: 'Run it again once nobody writes there.',
    details: { path },
  });
}

function tooFar(length: number): string {
  return `A link to it would need a text of ${length} bytes, and can have ${MAX_LINK_BYTES}.`;
}

function noFile({ type }: Entry): string {
  return type === 'directory' ? 'It is a folder in the destination.' : 'It is no file in the destination.';
}
