/** How the files of a version stand in a clone. */
export type CloneMode = (typeof CLONE_MODES)[number];

export const CLONE_MODES = ['symlink', 'hardlink', 'reflink', 'copy'] as const;

/** The modes that make real files. */
export type FileMode = Exclude<CloneMode, 'symlink'>;
