import type { Count } from './count.ts';

/** What a file holds. */
export interface FileState {
  /** Units: bytes */
  readonly size: number;
  readonly md5sum: string;
}

/** What became of one file. One that has moved has the same content at another path. */
export type FileChange =
  | { readonly type: 'added'; readonly path: string; readonly after: FileState }
  | { readonly type: 'removed'; readonly path: string; readonly before: FileState }
  | { readonly type: 'modified'; readonly path: string; readonly before: FileState; readonly after: FileState }
  | {
      readonly type: 'moved';
      readonly path: string;
      readonly from: string;
      readonly before: FileState;
      readonly after: FileState;
    };

/** How many files changed in which way, and how large they are: as they are after it, or were if they are gone. */
export type ChangeCounts = Readonly<Record<FileChange['type'] | 'unchanged', Count>>;
