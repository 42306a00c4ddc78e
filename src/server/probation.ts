import type { VersionRef } from '../model/refs.ts';
import type { WireSummary } from '../model/summary.ts';
import type { ServerContext } from './context.ts';

/**
 * Makes a version official, and the latest if it was finished later than the one that is; says whether it is.
 *
 * Whoever calls holds the project's lock, and calls again what was interrupted.
 */
export async function approveVersion(
  { documents }: Pick<ServerContext, 'documents'>,
  ref: VersionRef,
): Promise<boolean> {
  const summary = await documents.summary(ref);
  if (summary === undefined) return false;
  const { on_probation, ...official } = summary.value;
  if (on_probation !== undefined) await documents.writeSummary(ref, official, summary.metadata);
  const latest = await documents.latest(ref);
  if (latest?.version === ref.version) return true;
  const current = latest && (await documents.summary({ ...ref, version: latest.version }))?.value;
  if (finishTime(official) <= finishTime(current)) return false;
  await documents.setLatest(ref, ref);
  return true;
}

function finishTime(summary: WireSummary | undefined): number {
  return summary?.upload_finish === undefined ? Number.NEGATIVE_INFINITY : Date.parse(summary.upload_finish);
}
