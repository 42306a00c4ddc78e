import type { SyncResult } from '../ops/sync-result.ts';
import { count } from './text.ts';

/** Throws if something could not be replicated; such an error has the exit code of failures that have none of their own. */
export function checkReplicated(result: SyncResult | undefined): void {
  const failed = result?.failures.length ?? 0;
  if (failed > 0) throw new Error(`${count(failed, 'entry')} could not be replicated; all others are.`);
}
