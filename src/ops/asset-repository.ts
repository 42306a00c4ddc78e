import type { Context } from '../context.ts';
import { GypsumError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { selectEntries } from '../model/manifest.ts';
import { modeOf } from '../model/modes.ts';
import { parseMtime } from '../model/mtime.ts';
import { checkVersionRef, formatRef, type Ref } from '../model/refs.ts';
import { showText } from '../model/text.ts';
import { entryAt } from '../model/tree.ts';
import type { VersionEntry } from '../model/version-tree.ts';
import { leaveOut } from '../tree/leave-out.ts';
import { openFile } from '../tree/open-file.ts';
import type { ReplicaEntry, ReplicaFile } from '../tree/replica-entry.ts';
import { microseconds } from '../tree/replica-stats.ts';
import type { File, Listing, Repository } from '../tree/repository.ts';
import { checkHoldable } from './check-holdable.ts';
import { groupContents } from './content-parts.ts';
import { fetchLatest } from './fetch-latest.ts';
import type { LoadedTree } from './load-tree.ts';
import { run } from './run.ts';
import { findInSite, outsideSite } from './site-cache.ts';

/**
 * Opens an asset as a repository that is read: the version that is named, or, at each listing, the latest one. A listing needs the
 * version's documents and its tree record alone; contents are fetched into the cache when they are wanted, and verified.
 *
 * Digests are those of manifests, MD5. What a version says nothing of is as usual: modes are 0644 and 0755, and times those
 * when the version was finished. Nothing in it can be changed: that throws `invalid-argument`.
 */
export function openAssetRepository(
  ctx: Context,
  { version, ...asset }: Ref,
  { signal, onEvent }: CallOptions = {},
): Repository {
  const call = { signal, onEvent };
  const name = formatRef({ ...asset, ...(version !== undefined && { version }) });
  let listed: Listed | undefined;

  const load = (call: CallOptions): Promise<Listed> =>
    run(ctx, call, async () => {
      const ref = version === undefined ? await fetchLatest(ctx, asset, call) : checkVersionRef({ ...asset, version });
      // Whoever makes a client loads this file: with all that it needs, that would take 40 ms of CPU.
      const { loadTree } = await import('./load-tree.ts');
      const loaded = await loadTree(ctx, ref, call);
      checkHoldable(ref, pathsOf(loaded.tree.entries));
      const finished = (loaded.documents.summary.uploadFinish ?? new Date(0)).getTime() * 1000;
      const pace = createPace(call.signal);
      const entries: ReplicaEntry[] = [];
      for (const entry of loaded.tree.entries) {
        if (pace.due()) await pace.rest();
        entries.push(toReplica(entry, finished));
      }
      return { loaded, entries };
    });
  const current = async () => {
    listed ??= await load(call);
    return listed;
  };
  const refuse = async (): Promise<never> => {
    throw new GypsumError('invalid-argument', `Nothing in a version can be changed: ${name}.`, {
      hint: 'Have a folder published as the next version: give the asset as the destination.',
    });
  };

  return {
    algorithm: 'md5',

    async list({ skip, stamps = false, ...options } = {}): Promise<Listing> {
      listed = await load({ ...call, ...options });
      const { entries, left } = leaveOut(listed.entries, skip);
      return {
        entries: stamps ? entries.map((entry) => (entry.type === 'file' ? withStamp(entry) : entry)) : entries,
        left,
        unreadable: [],
        unfollowed: [],
        leftovers: [],
      };
    },

    async gather(paths, options = call) {
      const { loaded } = await current();
      const { ref, documents } = loaded;
      const wanted = new Set(paths);
      const manifest = selectEntries(documents.manifest, (_, path) => wanted.has(path));
      const contents = groupContents({ ref, manifest });
      const inSite = await findInSite(ctx, contents, options);
      const { saveContents } = await import('./save-contents.ts');
      await saveContents(ctx, outsideSite(ctx, contents, inSite), ref, { ...options, chosen: true });
    },

    async read(path): Promise<File> {
      const { loaded, entries } = await current();
      const entry = entryAt(entries, path);
      if (entry?.type !== 'file') {
        throw new GypsumError('file-changed', `${showText(path)} is no file of ${formatRef(loaded.ref)}.`, {
          details: { path },
        });
      }
      const { saveFileOf } = await import('./save-version.ts');
      const file = openFile(await saveFileOf(ctx, loaded.documents, path, call), path);
      const opened = { entry, stamp: file.opened.stamp };
      return { ...file, opened, look: () => ({ entry, stamp: file.look().stamp }) };
    },

    create: refuse,
    modify: refuse,
    delete: refuse,
    close() {},
  };
}

interface Listed {
  readonly loaded: LoadedTree;
  readonly entries: readonly ReplicaEntry[];
}

/** Times are those of the record, or of the version. Units: microseconds */
function toReplica(entry: VersionEntry, finished: number): ReplicaEntry {
  const { path } = entry;
  const known = entry.mtime === undefined ? undefined : parseMtime(entry.mtime);
  const mtime = known === undefined ? finished : microseconds(known);
  if (entry.type === 'symlink') {
    const { target, targetType } = entry;
    return { type: 'symlink', path, target, targetType, mtime };
  }
  const mode = process.platform === 'win32' ? {} : { mode: modeOf(entry) };
  if (entry.type === 'directory') return { type: 'directory', path, ...mode, mtime };
  return { type: 'file', path, size: entry.size, ...mode, mtime, digest: entry.digest.hex };
}

/** Nothing else changes in a version. */
function withStamp(file: ReplicaFile): ReplicaFile {
  return { ...file, stamp: `${file.digest} ${file.mtime} ${file.mode}` };
}

function* pathsOf(entries: readonly VersionEntry[]): Generator<string> {
  for (const { path } of entries) yield path;
}
