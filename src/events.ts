import type { FileRef, VersionRef } from './model/refs.ts';
import type { StaleEntry } from './model/version-tree.ts';
import type { LockOwner } from './process-owner.ts';

/**
 * All that happens during a call, as data: the command line draws it, tests count it.
 *
 * Units: `bytes` and `size` are bytes, `delay` is milliseconds
 */
export type GypsumEvent =
  /** Work of a known size begins; what is counted by `progress` adds up to it. */
  | { readonly type: 'start'; readonly task: Task; readonly files: number; readonly bytes: number }
  /** Bytes went over the network, or files were done; a retry takes bytes back with a negative number. */
  | { readonly type: 'progress'; readonly task: Task; readonly files: number; readonly bytes: number }
  | { readonly type: 'end'; readonly task: Task }
  /** A request failed and will be tried again; `delay` is how long the registry wants to be left alone before that. */
  | {
      readonly type: 'retry';
      readonly what: string;
      readonly attempt: number;
      readonly error: Error;
      readonly delay?: number;
    }
  /** Another process is fetching the same version, or another upload to the project is in progress. */
  | {
      readonly type: 'wait';
      readonly for: 'version-lock';
      readonly ref: VersionRef;
      readonly owner?: LockOwner | undefined;
    }
  | { readonly type: 'wait'; readonly for: 'project-lock'; readonly ref: VersionRef; readonly error: Error }
  /** A cached file was not what it must be; it was moved aside and will be replaced. */
  | {
      readonly type: 'damaged';
      readonly file: FileRef;
      readonly path: string;
      readonly movedTo: string;
      /** Equal files of the version that showed the same, since they are one file of the cache; absent without any. */
      readonly equal?: readonly FileRef[];
      /** It holds an edit that has become a file of a folder: nobody needs to take it from there. */
      readonly isRescued?: boolean;
    }
  /** A file of a folder was edited through its link; the edit is a file of the folder now, and the cache is to be healed. */
  | { readonly type: 'rescued'; readonly path: string; readonly file: FileRef }
  /** Entries of a version's tree record are not in its folder, and why. */
  | { readonly type: 'left-out'; readonly ref: VersionRef; readonly entries: readonly StaleEntry[] }
  /** An upload session changed its state. */
  | { readonly type: 'upload-started' | 'upload-completed' | 'upload-aborted'; readonly ref: VersionRef }
  /** An upload that was resumed has failed; it can be resumed again, or aborted. */
  | { readonly type: 'upload-kept'; readonly ref: VersionRef }
  /**
   * An upload session failed and could not be aborted either: the project may stay locked. If it is recorded, it can be
   * resumed or aborted later; else somebody has to unlock the project.
   */
  | {
      readonly type: 'upload-abandoned';
      readonly ref: VersionRef;
      readonly error: Error;
      readonly isRecorded: boolean;
    };

/** What a progress bar can be about. */
export type Task =
  | 'fetch'
  | 'clone'
  | 'scan'
  | 'digest'
  | 'send'
  | 'verify'
  | 'backup'
  | 'remove'
  | 'change'
  | 'export';

export type OnEvent = (event: GypsumEvent) => void;

/** What every operation takes last. */
export interface CallOptions {
  /** Stops the operation; its reason is what the call throws. */
  signal?: AbortSignal | undefined;
  onEvent?: OnEvent | undefined;
}

/** Gives what a call passes on of its options: the rest is its own. */
export function callOf({ signal, onEvent }: CallOptions = {}): CallOptions {
  return { signal, onEvent };
}
