import type { CommandTable } from '../command.ts';

/** What is done with folders: clones, linked ones, replicas, and those that are published. */
export const folders: CommandTable = {
  clone: {
    summary: 'Make a folder of links to a version’s files',
    load: async () => (await import('../commands/clone.ts')).clone,
  },
  status: {
    summary: 'Show what of a clone differs from its version',
    load: async () => (await import('../commands/status.ts')).status,
  },
  stage: {
    summary: 'Make writable files of links in a clone',
    load: async () => (await import('../commands/stage.ts')).stage,
  },
  restore: {
    summary: 'Have files of a clone be links again',
    load: async () => (await import('../commands/restore.ts')).restore,
  },
  checkout: {
    summary: 'Have a clone go over to another version, in place',
    load: async () => (await import('../commands/checkout.ts')).checkout,
  },
  fetch: {
    summary: 'Fetch what links of a clone lead to, such as what was left out',
    load: async () => (await import('../commands/fetch.ts')).fetch,
  },
  drop: {
    summary: 'Let what links of a clone lead to go from the cache',
    load: async () => (await import('../commands/drop.ts')).drop,
  },
  relink: {
    summary: 'Mend clones after they or the cache were moved',
    load: async () => (await import('../commands/relink.ts')).relink,
  },
  link: {
    summary: 'Have equal files of two folders become links',
    load: async () => (await import('../commands/link.ts')).link,
  },
  sync: {
    summary: 'Have a folder be a replica of another one',
    load: async () => (await import('../commands/sync.ts')).sync,
  },
  replicate: {
    summary: 'Have a folder be a replica of another one, and stay one',
    load: async () => (await import('../commands/replicate.ts')).replicate,
  },
  'compat synctool': {
    summary: 'Do what synctool does: one folder onto another, once or again and again',
    load: async () => (await import('../commands/compat-synctool.ts')).compatSynctool,
  },
  'compat dirsync': {
    summary: 'Do what dirsync does: keep a folder a replica of another one',
    load: async () => (await import('../commands/compat-dirsync.ts')).compatDirsync,
  },
  'create-links': {
    summary: 'Do what create_links.py does',
    load: async () => (await import('../commands/create-links.ts')).createLinks,
  },
  'stage-linked-file': {
    summary: 'Do what stage_linked_file.py does',
    load: async () => (await import('../commands/stage-linked-file.ts')).stageLinkedFile,
  },
  prepare: {
    summary: 'Show which files of a folder are real and which are links',
    load: async () => (await import('../commands/prepare.ts')).prepare,
  },
  upload: {
    summary: 'Publish a folder as a new version',
    load: async () => (await import('../commands/upload.ts')).upload,
  },
  put: {
    summary: 'Publish a folder or file with its symlinks, as a change of the latest version',
    load: async () => (await import('../commands/put.ts')).put,
  },
  add: {
    summary: 'Publish one more file, as a change of the latest version',
    load: async () => (await import('../commands/add.ts')).add,
  },
  rm: {
    summary: 'Publish the latest version without a file or folder',
    load: async () => (await import('../commands/rm.ts')).rm,
  },
  'uploads list': {
    summary: 'List the uploads that have not come to their end',
    load: async () => (await import('../commands/uploads.ts')).uploadsList,
    isDefault: true,
  },
  'uploads resume': {
    summary: 'Go on with an upload that was interrupted',
    load: async () => (await import('../commands/uploads.ts')).uploadsResume,
  },
  'uploads abort': {
    summary: 'End an upload that was interrupted',
    load: async () => (await import('../commands/uploads.ts')).uploadsAbort,
  },
};
