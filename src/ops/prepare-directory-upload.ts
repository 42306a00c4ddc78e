import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import type { FileRef } from '../model/refs.ts';
import { showLines, showText } from '../model/text.ts';
import type { TreeRecord } from '../model/tree-record.ts';
import type { LocalFile, UploadLink } from '../model/upload-plan.ts';
import { IGNORE_FILE } from '../tree/ignore-file.ts';
import type { ScanThread } from '../tree/scan-thread.ts';
import { type Astray, describeAstray } from './astray-links.ts';
import { checkFolder } from './check-folder.ts';
import { describeEdits } from './describe-edits.ts';
import { findChanged } from './find-changed.ts';
import { cloneAround } from './find-clone.ts';
import { type FolderRecord, findFolderRecord, recordOf, symlinkRule } from './folder-record.ts';
import { cachedPlace, type Found, type FoundLink, type Linked, sentOf } from './found.ts';
import { readKept, SYMLINK_RULES, type SymlinkRule } from './kept-symlinks.ts';
import type { LinkRule } from './read-folder.ts';
import { isRescuable, rescueEdits } from './rescue-edits.ts';
import { run } from './run.ts';
import { saveFileRefs } from './save-file-refs.ts';
import { withScanAhead } from './scan-ahead.ts';
import { notMadeIn } from './standing-record.ts';

export interface PrepareOptions extends CallOptions {
  /** @default 'auto' */
  links?: LinkRule;
  /**
   * What becomes of symlinks that do not lead into a cache. @default 'keep' where the folder has a tree record, else 'follow'
   */
  symlinks?: SymlinkRule;
  /**
   * Make files of the links whose cached file was edited through them, and give the cache the right content again.
   * Without it, they are an error. @default false
   */
  rescue?: boolean;
}

/** What publishing a folder would do. */
export interface PreparedUpload {
  /** The real path of the folder. */
  readonly directory: string;
  /** In the order of `comparePaths`, like `links`. */
  readonly files: readonly LocalFile[];
  readonly links: readonly UploadLink[];
  /** What of the folder is no file, and how its files are kept; absent where symlinks are followed, or nothing needs it. */
  readonly record?: TreeRecord;
  /** How many entries `.gypsumignore` leaves out, a folder as one; absent without such a file. */
  readonly ignored?: number;
}

/**
 * Reads a folder and says what publishing it would send and what it would link. Dot-files are data; empty folders are
 * not, since registries store files only, unless the folder has a tree record, which is made anew. What `.gypsumignore` in
 * the folder names is left out, as is that file; it has the syntax of `.gitignore`. Throws `invalid-tree` naming every entry
 * that a version cannot hold, or if all is left out.
 *
 * What is to be sent and is a link to a cached file that is not there, since its version may yet change, is fetched.
 */
export async function prepareDirectoryUpload(
  ctx: Context,
  directory: string,
  options: PrepareOptions = {},
): Promise<PreparedUpload> {
  const { links: rule = 'auto', symlinks, rescue = false, ...callOptions } = options;
  if (!['auto', 'always', 'never'].includes(rule)) {
    throw new GypsumError('invalid-argument', `"${rule}" is not a rule for links.`, {
      hint: 'Give "auto", "always" or "never".',
    });
  }
  if (symlinks !== undefined && !SYMLINK_RULES.includes(symlinks)) {
    throw new GypsumError('invalid-argument', `"${symlinks}" is not a rule for symlinks.`, {
      hint: 'Give "keep", "safe", "refuse" or "follow".',
    });
  }
  const root = checkFolder(directory, 'Give the folder whose files shall be published.');
  return run(ctx, callOptions, async () => {
    const record = await findFolderRecord(ctx, root, callOptions);
    const how = { links: rule, symlinks: symlinkRule(symlinks, record), rescue, record };
    const clone = how.symlinks === 'follow' && rule !== 'never' ? await cloneAround(ctx, root, callOptions) : undefined;
    if (clone?.root !== root) return prepare(ctx, root, how, callOptions);
    return withScanAhead(ctx, clone, async (ahead) => prepare(ctx, root, how, { ...callOptions, ahead: await ahead }));
  });
}

interface How {
  readonly links: LinkRule;
  readonly symlinks: SymlinkRule;
  readonly rescue: boolean;
  /** What the folder has of a record until now. */
  readonly record: FolderRecord | undefined;
}

async function prepare(
  ctx: Context,
  root: string,
  how: How,
  { ahead, ...options }: CallOptions & { ahead?: ScanThread | undefined },
): Promise<PreparedUpload> {
  const { links: rule, symlinks, rescue } = how;
  const base = how.record?.base;
  const { entries, ignored } = await readKept(ctx, root, {
    ...options,
    ahead,
    links: rule,
    symlinks,
    notMade: [...(base?.notMade ?? []), ...(symlinks === 'follow' ? [] : notMadeIn(root))],
    ...(base !== undefined && { clone: base.clone, loaded: [base.documents] }),
  });
  const { files, links, missing, faults } = sortOut(entries);
  const mayBeEdited = links.filter(({ how, isRight }) => how !== 'copy' && !isRight);
  const edited = await findChanged(ctx, mayBeEdited, (link) => cachedPlace(ctx, link), options);
  const lost = rescue ? edited.filter((link) => !isRescuable(root, link)) : edited;
  const wrong = [...faults, ...describeEdits(ctx, lost, { lost: rescue })];
  if (wrong.length > 0) throw refusal(root, wrong, lost);
  if (edited.length > 0) {
    await rescueEdits(ctx, root, edited, options);
    // An edit that comes in between is found, and refused.
    return prepare(ctx, root, { ...how, rescue: false }, options);
  }
  const record = recordOf(entries, how.record, symlinks);
  const published = files.length + links.length + (record?.entries.length ?? 0);
  if (ignored !== undefined && ignored > 0 && published === 0) throw allIsLeftOut(root, ignored);
  await saveFileRefs(ctx, missing, options);
  return {
    directory: root,
    files,
    links: links.map(({ path, file, size, md5sum, seen }) => ({
      path,
      link: file,
      size,
      md5sum,
      ...(seen !== undefined && { seen }),
    })),
    ...(record !== undefined && { record }),
    ...(ignored !== undefined && { ignored }),
  };
}

/** A version of nothing is what nobody means by that. */
function allIsLeftOut(directory: string, ignored: number): GypsumError {
  return new GypsumError('invalid-tree', `Every file of ${showText(directory)} is left out by its ${IGNORE_FILE}.`, {
    hint: `Mend ${IGNORE_FILE}, or give another folder.`,
    details: { directory, ignored },
  });
}

/** What of a folder is sent and what linked, what of that is to be fetched first, and what is refused. */
function sortOut(entries: readonly Found[]) {
  const files: LocalFile[] = [];
  const links: FoundLink[] = [];
  const missing: FileRef[] = [];
  const faults: string[] = [];
  const astray: (Astray & { name: string })[] = [];
  for (const entry of entries) {
    const sent = sentOf(entry);
    if (entry.fault?.astray !== undefined) astray.push({ ...entry.fault.astray, name: entry.path });
    else if (entry.fault !== undefined) faults.push(`${showText(entry.path)} ${entry.fault.why}`);
    else if (sent !== undefined) files.push(sent);
    else if (entry.type === 'link') links.push(entry);
    if (entry.type === 'link' && entry.isMissing) missing.push(entry.file);
  }
  return { files, links, missing, faults: [...faults, ...describeAstray(astray)] };
}

/** How many entries a message names; `details` has all. */
const NAMED = 10;

function refusal(root: string, faults: readonly string[], edited: readonly Linked[]): GypsumError {
  return new GypsumError(
    'invalid-tree',
    `${showText(root)} cannot be published, and nothing was sent:${showLines(faults, NAMED)}`,
    {
      hint: 'Do what is said behind each, or rename, remove or replace it.',
      details: { directory: root, faults, edited: edited.map(({ path }) => path) },
    },
  );
}
