import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type CloneFiles, readCloneFiles } from '../cache/clone-files.ts';
import { isFolderOf, removeReceipt, writeReceipt } from '../cache/receipts.ts';
import type { Context } from '../context.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import type { CloneMode } from '../model/clone-mode.ts';
import type { Fingerprint } from '../model/fingerprint.ts';
import { fsPath } from '../model/local-path.ts';
import { checkVersionRef, type VersionRef } from '../model/refs.ts';
import type { Tree } from '../model/tree.ts';
import { isSymlinkTo } from '../model/version-tree.ts';
import { applySteps } from '../tree/apply.ts';
import { scanFolder } from '../tree/scan.ts';
import type { ChangeSymlink } from '../tree/step.ts';
import { checkFolder } from './check-folder.ts';
import { rememberFiles } from './clone-files.ts';
import { loadFolderVersion } from './cloned-version.ts';
import { findChanged, type Shown } from './find-changed.ts';
import { type Copy, createCopies } from './find-copies.ts';
import { type Identity, identifyClone } from './identify-clone.ts';
import { createLinkTargets } from './link-targets.ts';
import { cloneOfAnother, clonesBelow, folderOfClones, noClone } from './no-clone.ts';
import { type LinkPlan, type LinksElsewhere, planLinks } from './plan-links.ts';
import { run } from './run.ts';
import type { VersionDocuments } from './version-documents.ts';

export interface RelinkOptions extends CallOptions {
  /** The version that the folder is a clone of; needed where neither a receipt nor its links nor its files say it. */
  as?: VersionRef;
  /** Say what would be done, and do nothing. @default false */
  dryRun?: boolean;
}

export interface RelinkResult extends VersionRef {
  /** The real path of the clone. */
  readonly destination: string;
  readonly mode: CloneMode;
  /** Where its receipt said that it was, if it was moved since. */
  readonly movedFrom?: string;
  /** Symlinks that led to where the cache had been, and where they lead now. */
  readonly links: readonly { readonly path: string; readonly before: string; readonly target: string }[];
  /** Links that lead into other caches, which are there: they were left alone. */
  readonly elsewhere: readonly LinksElsewhere[];
  /** How many of its links and files are those of versions: only the others will be sent when it is published. */
  readonly unchanged: number;
}

/**
 * Mends a clone after the cache or the clone itself was moved: its symlinks lead into the cache as it is now, its real
 * files are compared with its version, and the cache knows it at its place. Nothing else in it is touched. Throws
 * `invalid-argument` if the folder is no clone of this cache: one of another cache, which is there, or a folder of clones.
 */
export async function relinkClone(
  ctx: Context,
  directory: string,
  { as, dryRun = false, ...options }: RelinkOptions = {},
): Promise<RelinkResult> {
  const given = as === undefined ? undefined : checkVersionRef(as);
  const root = checkFolder(directory, 'Give the folder of a clone.');
  return run(ctx, options, async () => {
    options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
    const tree = await scanFolder(root, options);
    options.onEvent?.({ type: 'end', task: 'scan' });
    const identity = await identifyClone(ctx, root, tree, given, options);
    const documents = await loadFolderVersion(ctx, identity.ref, options);
    const { own } = documents;
    const others = tree.filter((entry) => entry.type !== 'symlink' || !isSymlinkTo(own.get(entry.path), entry.target));
    const stats = lstatSync(fsPath(root));
    const before = identity.receipt?.destination;
    // A folder that stands where a clone was, and has nothing of it, is another one.
    const isItself = identity.receipt !== undefined && isFolderOf(identity.receipt, stats);
    const plan = await planLinks(ctx, root, others, documents, { ...options, isKnown: isItself || before === root });
    const { steps, inSite, elsewhere } = plan;
    const links = steps.length + plan.right;
    const files =
      identity.mode === 'symlink' ? new Map() : await findFiles(ctx, root, tree, identity, documents, options);
    if (!isItself && files.size === 0) checkLinks(root, tree, plan);
    const mode = identity.mode ?? (links >= files.size ? 'symlink' : 'copy');
    if (!dryRun) {
      await changeLinks(root, steps, options);
      await ctx.cache.open();
      if (mode !== 'symlink') await rememberFiles(ctx, documents.ref, root, files, options);
      await writeReceipt(ctx.cache.layout, {
        ...identity.receipt,
        siteCache: inSite > 0 ? ctx.site?.layout.root : undefined,
        ...documents.ref,
        destination: root,
        device: stats.dev,
        inode: stats.ino,
        birth: stats.birthtimeMs,
        mode,
        createdAt: identity.receipt?.createdAt ?? new Date().toISOString(),
      });
      if (before !== undefined && before !== root) await removeReceipt(ctx.cache.layout, before);
    }
    return {
      ...documents.ref,
      destination: root,
      mode,
      ...(before !== undefined && before !== root && { movedFrom: before }),
      links: steps.map(({ path, before: was, after }) => ({ path, before: was.target, target: after.target })),
      elsewhere,
      unchanged: links + files.size,
    };
  });
}

/** Throws `invalid-argument` unless the links of a folder make it a clone: most stand where their files do in a version. */
function checkLinks(root: string, tree: Tree, { steps, right, placed, elsewhere }: LinkPlan): void {
  const links = steps.length + right;
  if (links > 0 && placed * 2 >= links) return;
  const [other] = elsewhere;
  if (links === 0 && other !== undefined) throw cloneOfAnother(root, other.cache);
  const clones = clonesBelow(tree);
  throw clones.length > 0 ? folderOfClones(root, clones) : noClone(root);
}

async function changeLinks(root: string, steps: readonly ChangeSymlink[], options: CallOptions): Promise<void> {
  options.onEvent?.({ type: 'start', task: 'clone', files: steps.length, bytes: 0 });
  await applySteps(root, steps, options);
  options.onEvent?.({ type: 'end', task: 'clone' });
}

/** Finds the files that the version has, by their path there; those are read that were touched since they were known. */
async function findFiles(
  ctx: Context,
  root: string,
  tree: Tree,
  { receipt }: Identity,
  documents: VersionDocuments,
  options: CallOptions,
): Promise<CloneFiles> {
  const { layout } = ctx.cache;
  const known = receipt === undefined ? new Map() : await readCloneFiles(layout, receipt.destination, documents.ref);
  const targets = createLinkTargets(ctx, options, [documents]);
  const copies = createCopies(ctx, root, documents.ref, known, targets, options);
  const found: (Copy & Shown & { path: string })[] = [];
  const pace = createPace(options.signal);
  for (const { type, path } of tree) {
    if (pace.due()) await pace.rest();
    const copy = type === 'file' ? await copies.find(path) : undefined;
    if (copy === undefined) continue;
    const { size, md5sum, source: project } = copy.target;
    found.push({ ...copy, path, size, md5sum, project });
  }
  // Nobody has looked whether cached files were edited.
  const edited = new Set(
    await findChanged(
      ctx,
      found.filter(({ inCache }) => inCache),
      ({ path }) => join(root, path),
      options,
    ),
  );
  const files = new Map<string, Fingerprint>();
  for (const copy of found) {
    const from = copy.target.file.path;
    if (!edited.has(copy) && (from === copy.path || !files.has(from))) files.set(from, copy.seen);
  }
  return files;
}
