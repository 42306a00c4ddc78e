import type { TreeChange } from '../model/merge-trees.ts';
import { assetName } from './asset-name.ts';
import type { LogEntry, OperationLog } from './operation-log.ts';
import type { AssetSyncResult } from './publish-options.ts';

/** Takes down what has become a version, an entry a line, and what could not. */
export function logPublished(log: OperationLog, result: AssetSyncResult): void {
  for (const change of result.changes) {
    const { sign, path, size, digest, why = 'cannot be published' } = change;
    if (sign === 'E') log.fail({ path, message: `It ${why}.` });
    else if (result.published)
      log.note({
        op: wordFor(change),
        path,
        ...(size !== undefined && { size }),
        ...(digest !== undefined && { digest }),
      });
  }
  const { project, asset, version } = result;
  if (result.published) log.note({ op: 'publish', path: assetName({ project, asset, version }) });
}

function wordFor({ sign, type }: TreeChange): LogEntry['op'] {
  if (sign === '-') return type === 'directory' ? 'rmdir' : 'delete';
  if (sign === '*') return 'modify';
  return type === 'directory' ? 'mkdir' : type === 'symlink' ? 'link' : 'create';
}
