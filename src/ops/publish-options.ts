import type { CallOptions } from '../events.ts';
import type { TreeChange } from '../model/merge-trees.ts';
import type { ChangedTree } from './publish-tree.ts';
import type { SyncOptions } from './sync-options.ts';

/** How a folder is published to an asset: as it is replicated, as far as that means anything there. */
export interface SyncToAssetOptions
  extends CallOptions,
    Pick<SyncOptions, 'remove' | 'exclude' | 'followLinks' | 'force' | 'dryRun' | 'stateDir' | 'written'> {}

/** What becomes of one entry. */
export interface PublishedChange extends TreeChange {
  /** Of a file's content, MD5; of one that goes, of what it was. */
  readonly digest?: string;
}

/** What was published of a folder, or would be. What is wrong with entries stands in `changes`; the rest was published. */
export interface AssetSyncResult extends ChangedTree {
  readonly changes: readonly PublishedChange[];
  /** The folder, by its real path. */
  readonly source: string;
  readonly dryRun: boolean;
  /** What no version has, and why: the end of a sentence that begins with the path. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[];
}

export interface ReplicateToAssetOptions extends Omit<SyncToAssetOptions, 'dryRun'> {
  /** How long nothing must have changed before it is published. Units: milliseconds. @default 30,000 */
  settle?: number;
  /** How often changes are looked for. Units: milliseconds, 1 or more */
  every: number;
  /** Ends it, without an error; what is being published then is given up. `signal` does so with one. */
  until: AbortSignal;
  /** How often all is looked at though the system tells of no change. Units: milliseconds. @default 60,000 */
  scanEvery?: number;
  /** Have the system tell of changes, where it can. @default true */
  watch?: boolean;
  /** Hears of each version that was made, and of what is wrong with entries that was not before. */
  onResult?: ((result: AssetSyncResult) => void) | undefined;
  /** Hears of an error that has kept all from being published; it is tried again, later and later. */
  onError?: ((error: unknown) => void) | undefined;
  /** Hears that the system tells of no changes, and why. */
  onUnwatched?: ((error: Error) => void) | undefined;
}

/** What is wrong with entries of a folder. */
export function faultsOf({ changes }: Pick<ChangedTree, 'changes'>): readonly TreeChange[] {
  return changes.filter(({ sign }) => sign === 'E');
}
