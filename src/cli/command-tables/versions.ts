import type { CommandTable } from '../command.ts';

/** What is looked up and taken from registries and the cache. */
export const versions: CommandTable = {
  projects: {
    summary: 'List the projects of the registry',
    load: async () => (await import('../commands/lists.ts')).projects,
  },
  assets: {
    summary: 'List the assets of a project',
    load: async () => (await import('../commands/lists.ts')).assets,
  },
  versions: {
    summary: 'List the versions of an asset',
    load: async () => (await import('../commands/lists.ts')).versions,
  },
  files: {
    summary: 'List the files of a version',
    load: async () => (await import('../commands/lists.ts')).files,
  },
  ls: {
    summary: 'List what is in a folder of a version, or in a local one',
    load: async () => (await import('../commands/ls.ts')).ls,
  },
  tree: {
    summary: 'Draw a folder with all that is in it',
    load: async () => (await import('../commands/tree.ts')).tree,
  },
  cat: {
    summary: 'Print a file of a version, or of a folder its list',
    load: async () => (await import('../commands/cat.ts')).cat,
  },
  resolve: {
    summary: 'Show where a path leads, symlink by symlink',
    load: async () => (await import('../commands/resolve.ts')).resolve,
  },
  stat: {
    summary: 'Show one file, folder or symlink',
    load: async () => (await import('../commands/stat.ts')).stat,
  },
  manifest: {
    summary: 'Show the manifest of a version',
    load: async () => (await import('../commands/manifest.ts')).manifest,
  },
  diff: {
    summary: 'Show how a clone, two versions or two folders differ',
    load: async () => (await import('../commands/diff.ts')).diff,
  },
  export: {
    summary: 'Make a folder of real files, or a tar file, of a clone',
    load: async () => (await import('../commands/export.ts')).exportCommand,
  },
  get: {
    summary: 'Copy a version, or a folder or file of it, with its symlinks',
    load: async () => (await import('../commands/get.ts')).get,
  },
  log: {
    summary: 'Show the versions of an asset, and what each changed',
    load: async () => (await import('../commands/log.ts')).log,
  },
  why: {
    summary: 'Show from which version the bytes of a file come',
    load: async () => (await import('../commands/why.ts')).why,
  },
  path: {
    summary: 'Print where a file or a version is in the cache',
    load: async () => (await import('../commands/path.ts')).path,
  },
  save: {
    summary: 'Fetch a version into the cache',
    load: async () => (await import('../commands/save.ts')).save,
  },
};
