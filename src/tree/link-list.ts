/** Symlinks to be made in this order; bytes where a path is no text. */
export interface LinkList {
  readonly texts: readonly (string | Uint8Array)[];
  readonly places: readonly (string | Uint8Array)[];
}

/**
 * What two threads see of the work of one: whether no more links are to be made, how many lists it has left behind, and how many links
 * it has made.
 */
export const SHARED = { stop: 0, lists: 1, links: 2, length: 3 } as const;
