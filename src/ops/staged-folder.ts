/** What a symlink of a folder is, or has become. */
export type StageState = (typeof STAGE_STATES)[number];

export const STAGE_STATES = [
  /** It has become a file, or a folder of files, of its own. */
  'staged',
  /** It leads to a file. */
  'link',
  /** It leads to a folder, and those were not wanted. */
  'folder',
  /** It leads elsewhere than links were to lead. */
  'other',
  /** It leads nowhere. */
  'dangling',
  /** It leads to what is neither a file nor a folder. */
  'special',
  'failed',
] as const;

export interface StagedLink {
  readonly path: string;
  readonly state: StageState;
  /** The text of the link, but for a folder that a killed run has left to be finished. */
  readonly target?: string;
  /** Why it is so. */
  readonly message?: string;
}

export interface StagedFolder {
  /** The real path of the folder. */
  readonly directory: string;
  /** How many links are in each state. */
  readonly counts: Readonly<Record<StageState, number>>;
  readonly links: readonly StagedLink[];
  /** Folders that could not be read, and why: links in them were not found. */
  readonly unreadable: readonly { readonly path: string; readonly message: string }[];
  /** A failure has ended it before all was done. */
  readonly stopped: boolean;
}
