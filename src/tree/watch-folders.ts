import { watch } from 'chokidar';

export interface WatchFoldersOptions {
  /** Hears that something may have changed. */
  onChange: () => void;
  /** Hears, once, that no more is heard, and why. */
  onLost: (error: Error) => void;
}

/**
 * Hears of changes in some folders, as far as the system tells of them: no more than a hint. Folders alone are watched, which
 * know of the files in them, so that there is one watch a folder. Gives what ends it.
 */
export function watchFolders(
  folders: readonly string[],
  { onChange, onLost }: WatchFoldersOptions,
): () => Promise<void> {
  const watcher = watch([...folders], {
    ignoreInitial: true,
    followSymlinks: false,
    ignorePermissionErrors: true,
    ignored: (_path, stats) => stats !== undefined && !stats.isDirectory(),
  });
  let isLost = false;
  watcher.on('all', onChange);
  watcher.on('raw', onChange);
  // Whatever came before was not heard of.
  watcher.on('ready', onChange);
  watcher.on('error', (error) => {
    if (isLost) return;
    isLost = true;
    onLost(error instanceof Error ? error : new Error(String(error)));
  });
  return () => watcher.close();
}
