import type { Count } from './count.ts';

/** What a file holds. */
export interface FileState {
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
  /** Permissions; told where they are not those that files have anyway, or have changed. */
  readonly mode?: number;
}

export interface SymlinkState {
  readonly type: 'symlink';
  /** The text of the link, as it is. */
  readonly target: string;
}

export interface FolderState {
  readonly type: 'directory';
  /** As of a file. */
  readonly mode?: number;
}

/** What stands at a path. */
export type EntryState = FileState | SymlinkState | FolderState;

/**
 * What became of a file, a symlink, or a folder in which nothing is. One that has moved has the same content at another path. One
 * that is modified has other content, another target or other permissions, or is of another kind.
 */
export type FileChange =
  | { readonly type: 'added'; readonly path: string; readonly after: EntryState }
  | { readonly type: 'removed'; readonly path: string; readonly before: EntryState }
  | { readonly type: 'modified'; readonly path: string; readonly before: EntryState; readonly after: EntryState }
  | {
      readonly type: 'moved';
      readonly path: string;
      readonly from: string;
      readonly before: FileState;
      readonly after: FileState;
    };

/** How many files, and what else there is beside them. */
export interface EntryCount extends Count {
  /** Absent where there are none. */
  readonly symlinks?: number;
  /** Folders in which nothing is, and of what has changed, others too; absent where there are none. */
  readonly folders?: number;
}

/** How many entries changed in which way, and how large files are: as they are after it, or were if they are gone. */
export type ChangeCounts = Readonly<Record<FileChange['type'] | 'unchanged', EntryCount>>;

/** Gives a state as that of a file; nothing if it is none. */
export function fileState(state: EntryState): FileState | undefined {
  return 'type' in state ? undefined : state;
}
