import { showText } from '../model/text.ts';
import type { AssetSyncResult } from '../ops/publish-options.ts';
import { showChanged } from './tree-changes.ts';

/** Gives the lines of a folder that was published, or would be: each change, and the sum. */
export function publishedText({ skipped, source: _, ...result }: AssetSyncResult): string {
  return [...skipped.map(({ path, why }) => `skipped  ${showText(path)}  (it ${why})`), showChanged(result)].join('\n');
}
