import type { Command } from './command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command<unknown, never>>;
}

/** Every command by its words. Only the one that is called is loaded. */
export const commands: Readonly<Record<string, Entry>> = {
  serve: {
    summary: 'Run a registry on this machine',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  'project create': {
    summary: 'Create a project',
    load: async () => (await import('./commands/project-create.ts')).projectCreate,
  },
  projects: {
    summary: 'List the projects of the registry',
    load: async () => (await import('./commands/lists.ts')).projects,
  },
  assets: {
    summary: 'List the assets of a project',
    load: async () => (await import('./commands/lists.ts')).assets,
  },
  versions: {
    summary: 'List the versions of an asset',
    load: async () => (await import('./commands/lists.ts')).versions,
  },
  files: {
    summary: 'List the files of a version',
    load: async () => (await import('./commands/lists.ts')).files,
  },
  manifest: {
    summary: 'Show the manifest of a version',
    load: async () => (await import('./commands/manifest.ts')).manifest,
  },
  save: {
    summary: 'Fetch a version into the cache',
    load: async () => (await import('./commands/save.ts')).save,
  },
  clone: {
    summary: 'Make a folder of links to a version’s files',
    load: async () => (await import('./commands/clone.ts')).clone,
  },
  prepare: {
    summary: 'Show what publishing a folder would send and link',
    load: async () => (await import('./commands/prepare.ts')).prepare,
  },
  upload: {
    summary: 'Publish a folder as a new version',
    load: async () => (await import('./commands/upload.ts')).upload,
  },
};
