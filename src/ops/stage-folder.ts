import type { CallOptions } from '../events.ts';
import { finishFolder, putFolder } from '../tree/put-folder.ts';
import type { Step } from '../tree/step.ts';
import { applyEach } from './apply-each.ts';
import { checkFolder } from './check-folder.ts';
import { collectFolder } from './collect-folder.ts';
import { countStates } from './count-states.ts';
import { describeCopies } from './describe-copies.ts';
import { type FoundLink, findSymlinks } from './find-symlinks.ts';
import { STAGE_STATES, type StagedFolder, type StagedLink } from './staged-folder.ts';

export interface StageFolderOptions extends CallOptions {
  /** Only links that lead into this folder. */
  source?: string | undefined;
  /** Only these links and those below these folders, as paths in the folder. */
  only?: readonly string[] | undefined;
  /** Make copies of folders that links lead to, too. @default false */
  folders?: boolean;
  /** The permissions of the copies, less what the umask takes. @default those of the file, and that its owner may write */
  mode?: number | undefined;
  /** Only say what would be done. @default false */
  dryRun?: boolean;
  /** End it all at the first link that cannot be staged. @default false */
  failFast?: boolean;
}

/**
 * Has the symlinks of a folder become writable copies of what they lead to in the end, each at once: a link stands there
 * until its copy is whole, on the disk and verified. What links lead to is not touched.
 *
 * Links are followed from the folders that they stand in. What cannot be staged stays as it is, and is in the result;
 * twice is the same as once.
 */
export async function stageFolder(directory: string, options: StageFolderOptions = {}): Promise<StagedFolder> {
  const { source, only, folders = false, dryRun = false, failFast = false, signal, onEvent } = options;
  signal?.throwIfAborted();
  const root = checkFolder(directory, 'Give a folder that is there.');
  const into = source === undefined ? undefined : checkFolder(source, 'Give the folder that links lead to.');
  const { links, unreadable, left } = await findSymlinks(root, { source: into, only, signal, onEvent });
  const work: Work = { root, failures: new Map(), staged: new Set(), options: { ...options, failFast } };
  const finished = dryRun ? [] : left.folders.flatMap((holder) => finishFolder(root, holder) ?? []);
  const isBad = failFast && (unreadable.length > 0 || links.some(({ state }) => state === 'failed'));
  if (!dryRun && !isBad) {
    await stageFiles(
      links.filter(({ state }) => state === 'link'),
      left.steps,
      work,
    );
    if (folders)
      await stageFolders(
        links.filter(({ state }) => state === 'folder'),
        work,
      );
  }
  const all = [
    ...finished.map((path): StagedLink => ({ path, state: 'staged', message: 'A run that was killed had left it.' })),
    ...links.map((link) => outcomeOf(link, work)),
  ];
  return {
    directory: root,
    counts: countStates(STAGE_STATES, all),
    links: all,
    unreadable,
    stopped: isBad || isEnough(work),
  };
}

interface Work {
  readonly root: string;
  /** Why links could not be staged, by their paths. */
  readonly failures: Map<string, string>;
  readonly staged: Set<string>;
  readonly options: StageFolderOptions;
}

function isEnough({ failures, options }: Work): boolean {
  return options.failFast === true && failures.size > 0;
}

async function stageFiles(links: readonly FoundLink[], removals: readonly Step[], work: Work): Promise<void> {
  const { root, failures, staged, options } = work;
  const { signal, onEvent, failFast = false, mode } = options;
  const unread = new Map<string, string>();
  const sources = links.flatMap(({ source }) => source ?? []);
  const onFailure = (source: string, { message }: Error) => void unread.set(source, message);
  const copies = await describeCopies(sources, { mode, onFailure, signal, onEvent });
  const steps: Step[] = [...removals];
  for (const { path, target = '', source = '' } of links) {
    const after = copies.get(source);
    if (after !== undefined) steps.push({ path, before: { type: 'symlink', target }, after });
    else failures.set(path, unread.get(source) ?? '');
  }
  if (isEnough(work)) return;
  const applied = await applyEach(root, steps, { durable: true, failFast, signal, onEvent });
  for (const [path, message] of applied.failures) failures.set(path, message);
  for (const { path } of steps.slice(0, applied.tried)) if (!failures.has(path)) staged.add(path);
}

async function stageFolders(links: readonly FoundLink[], work: Work): Promise<void> {
  const { root, failures, staged, options } = work;
  const { signal, onEvent, mode } = options;
  for (const { path, target = '', source = '' } of links) {
    if (isEnough(work)) return;
    try {
      const parts = await collectFolder(source, { signal, onEvent });
      const copies = await describeCopies(
        parts.flatMap((part) => part.source ?? []),
        { mode, signal, onEvent },
      );
      const steps = parts.map(({ path, source = '' }) => ({ path, after: copies.get(source) ?? FOLDER }));
      const call = { durable: true, orCopy: true, signal, onEvent };
      await putFolder(root, path, { type: 'symlink', target }, steps, call);
      staged.add(path);
    } catch (error) {
      signal?.throwIfAborted();
      failures.set(path, (error as Error).message);
    }
  }
}

const FOLDER = { type: 'directory' } as const;

function outcomeOf({ source: _, ...link }: FoundLink, { failures, staged }: Work): StagedLink {
  const message = failures.get(link.path);
  if (message !== undefined) return { ...link, state: 'failed', message };
  return staged.has(link.path) ? { ...link, state: 'staged' } : link;
}
