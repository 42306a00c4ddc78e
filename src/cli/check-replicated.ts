import { type AssetSyncResult, faultsOf } from '../ops/publish-options.ts';
import type { SyncResult } from '../ops/sync-result.ts';
import { count } from './text.ts';

/** Throws if something could not be replicated; such an error has the exit code of failures that have none of their own. */
export function checkReplicated(result: SyncResult | AssetSyncResult | undefined): void {
  const failed = result === undefined ? 0 : countFailed(result);
  if (failed > 0) throw new Error(`${count(failed, 'entry')} could not be replicated; all others are.`);
}

/** Gives how many entries could not be replicated. */
export function countFailed(result: SyncResult | AssetSyncResult): number {
  return 'operations' in result ? result.failures.length : faultsOf(result).length;
}
