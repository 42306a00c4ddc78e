import type { Step } from '../tree/step.ts';

/** What a file of the source is to what the destination has at its path. */
export type LinkState = (typeof LINK_STATES)[number];

export const LINK_STATES = [
  /** The destination's has become a link to it. */
  'linked',
  /** It was one before. */
  'already-linked',
  /** Both hold the same, and the destination's is no link to it. */
  'same',
  'different',
  'missing',
  /** One of the two is no file. */
  'type-differs',
  /** The destination's is a symlink that leads nowhere. */
  'broken-link',
  /** Both are one file, or one is reached through the other's folder or through a symlink: it is left alone. */
  'alias',
  'failed',
] as const;

/** How links name the files that they lead to: seen from where they stand, or from the root. */
export type LinkType = 'relative' | 'absolute';

export interface LinkedFile {
  readonly path: string;
  readonly state: LinkState;
  /** The text of the link that is there, or is to be. */
  readonly target?: string;
  /** Why it is so. */
  readonly message?: string;
}

/** Two folders, of which one is to have links to the other. */
export interface LinkFolders {
  /** The folder that links lead to: an absolute path, as it was given. */
  readonly source: string;
  /** The folder that has the links: a real path. */
  readonly destination: string;
}

/** What is to be done for two folders: plain data that may be printed, kept and carried out later. */
export interface LinkPlan extends LinkFolders {
  readonly linkType: LinkType;
  /** Take the right to write to the files that are linked to away from all, or give it back to their owner. */
  readonly protect?: boolean;
  /** The destination is made if it is not there. */
  readonly createDst: boolean;
  /** An entry failed, and that was to be the end: nothing is to be done. */
  readonly stopped: boolean;
  /** Every file of the source. */
  readonly files: readonly LinkedFile[];
  readonly steps: readonly Step[];
}

export interface LinkStatus extends LinkFolders {
  /** How many files are in each state. */
  readonly counts: Readonly<Record<LinkState, number>>;
  readonly files: readonly LinkedFile[];
  /** A failure has ended it before all was done. */
  readonly stopped: boolean;
}

export interface LinkResult extends LinkStatus {
  /** Folders that were made in the destination; the empty path is the destination. */
  readonly folders: readonly string[];
  /** Files whose permissions could not be changed, and why. */
  readonly unprotected: readonly { readonly path: string; readonly message: string }[];
}
