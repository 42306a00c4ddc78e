import type { Command } from './command.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command<unknown, never>>;
  /** It is meant where the first of its two words stands alone. */
  readonly isDefault?: boolean;
}

/** Every command by its words. Only the one that is called is loaded. */
export const commands: Readonly<Record<string, Entry>> = {
  serve: {
    summary: 'Run a registry on this machine',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  login: {
    summary: 'Check a token, and remember it for the registry',
    load: async () => (await import('./commands/login.ts')).login,
  },
  logout: {
    summary: 'Forget the token of the login at the registry',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  whoami: {
    summary: 'Show whose token is used at the registry',
    load: async () => (await import('./commands/whoami.ts')).whoami,
  },
  'project create': {
    summary: 'Create a project',
    load: async () => (await import('./commands/project-create.ts')).projectCreate,
  },
  'project permissions': {
    summary: 'Show or change who may do what in a project',
    load: async () => (await import('./commands/project-permissions.ts')).projectPermissions,
  },
  'project quota': {
    summary: 'Show or change how much a project may store',
    load: async () => (await import('./commands/project-quota.ts')).projectQuota,
  },
  'project usage': {
    summary: 'Show how much a project stores',
    load: async () => (await import('./commands/project-quota.ts')).projectUsage,
  },
  'project lock': {
    summary: 'Show what holds a project',
    load: async () => (await import('./commands/project-lock.ts')).projectLock,
  },
  'project unlock': {
    summary: 'End the upload that holds a project',
    load: async () => (await import('./commands/project-lock.ts')).projectUnlock,
  },
  'project remove': {
    summary: 'Remove a project',
    load: async () => (await import('./commands/removals.ts')).projectRemove,
  },
  'asset remove': {
    summary: 'Remove an asset',
    load: async () => (await import('./commands/removals.ts')).assetRemove,
  },
  'version summary': {
    summary: 'Show who uploaded a version, and when',
    load: async () => (await import('./commands/version.ts')).versionSummary,
  },
  'version approve': {
    summary: 'Make a version official that is on probation',
    load: async () => (await import('./commands/version.ts')).versionApprove,
  },
  'version reject': {
    summary: 'Remove a version that is on probation',
    load: async () => (await import('./commands/removals.ts')).versionReject,
  },
  'version remove': {
    summary: 'Remove a version',
    load: async () => (await import('./commands/removals.ts')).versionRemove,
  },
  'refresh latest': {
    summary: 'Have the registry find the latest version again',
    load: async () => (await import('./commands/refresh.ts')).refreshLatest,
  },
  'refresh usage': {
    summary: 'Have the registry count what is stored again',
    load: async () => (await import('./commands/refresh.ts')).refreshUsage,
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
  ls: {
    summary: 'List what is in a folder of a version, or in a local one',
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  tree: {
    summary: 'Draw a folder with all that is in it',
    load: async () => (await import('./commands/tree.ts')).tree,
  },
  cat: {
    summary: 'Print a file of a version, or of a folder its list',
    load: async () => (await import('./commands/cat.ts')).cat,
  },
  resolve: {
    summary: 'Show where a path leads, symlink by symlink',
    load: async () => (await import('./commands/resolve.ts')).resolve,
  },
  stat: {
    summary: 'Show one file, folder or symlink',
    load: async () => (await import('./commands/stat.ts')).stat,
  },
  manifest: {
    summary: 'Show the manifest of a version',
    load: async () => (await import('./commands/manifest.ts')).manifest,
  },
  diff: {
    summary: 'Show how a clone, two versions or two folders differ',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  export: {
    summary: 'Make a folder of real files, or a tar file, of a clone',
    load: async () => (await import('./commands/export.ts')).exportCommand,
  },
  get: {
    summary: 'Copy a version, or a folder or file of it, with its symlinks',
    load: async () => (await import('./commands/get.ts')).get,
  },
  log: {
    summary: 'Show the versions of an asset, and what each changed',
    load: async () => (await import('./commands/log.ts')).log,
  },
  why: {
    summary: 'Show from which version the bytes of a file come',
    load: async () => (await import('./commands/why.ts')).why,
  },
  path: {
    summary: 'Print where a file or a version is in the cache',
    load: async () => (await import('./commands/path.ts')).path,
  },
  save: {
    summary: 'Fetch a version into the cache',
    load: async () => (await import('./commands/save.ts')).save,
  },
  clone: {
    summary: 'Make a folder of links to a version’s files',
    load: async () => (await import('./commands/clone.ts')).clone,
  },
  status: {
    summary: 'Show what of a clone differs from its version',
    load: async () => (await import('./commands/status.ts')).status,
  },
  stage: {
    summary: 'Make writable files of links in a clone',
    load: async () => (await import('./commands/stage.ts')).stage,
  },
  restore: {
    summary: 'Have files of a clone be links again',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  checkout: {
    summary: 'Have a clone go over to another version, in place',
    load: async () => (await import('./commands/checkout.ts')).checkout,
  },
  fetch: {
    summary: 'Fetch what links of a clone lead to, such as what was left out',
    load: async () => (await import('./commands/fetch.ts')).fetch,
  },
  drop: {
    summary: 'Let what links of a clone lead to go from the cache',
    load: async () => (await import('./commands/drop.ts')).drop,
  },
  relink: {
    summary: 'Mend clones after they or the cache were moved',
    load: async () => (await import('./commands/relink.ts')).relink,
  },
  link: {
    summary: 'Have equal files of two folders become links',
    load: async () => (await import('./commands/link.ts')).link,
  },
  sync: {
    summary: 'Have a folder be a replica of another one',
    load: async () => (await import('./commands/sync.ts')).sync,
  },
  replicate: {
    summary: 'Have a folder be a replica of another one, and stay one',
    load: async () => (await import('./commands/replicate.ts')).replicate,
  },
  'compat synctool': {
    summary: 'Do what synctool does: one folder onto another, once or again and again',
    load: async () => (await import('./commands/compat-synctool.ts')).compatSynctool,
  },
  'compat dirsync': {
    summary: 'Do what dirsync does: keep a folder a replica of another one',
    load: async () => (await import('./commands/compat-dirsync.ts')).compatDirsync,
  },
  'create-links': {
    summary: 'Do what create_links.py does',
    load: async () => (await import('./commands/create-links.ts')).createLinks,
  },
  'stage-linked-file': {
    summary: 'Do what stage_linked_file.py does',
    load: async () => (await import('./commands/stage-linked-file.ts')).stageLinkedFile,
  },
  prepare: {
    summary: 'Show which files of a folder are real and which are links',
    load: async () => (await import('./commands/prepare.ts')).prepare,
  },
  upload: {
    summary: 'Publish a folder as a new version',
    load: async () => (await import('./commands/upload.ts')).upload,
  },
  put: {
    summary: 'Publish a folder or file with its symlinks, as a change of the latest version',
    load: async () => (await import('./commands/put.ts')).put,
  },
  add: {
    summary: 'Publish one more file, as a change of the latest version',
    load: async () => (await import('./commands/add.ts')).add,
  },
  rm: {
    summary: 'Publish the latest version without a file or folder',
    load: async () => (await import('./commands/rm.ts')).rm,
  },
  'uploads list': {
    summary: 'List the uploads that have not come to their end',
    load: async () => (await import('./commands/uploads.ts')).uploadsList,
    isDefault: true,
  },
  'uploads resume': {
    summary: 'Go on with an upload that was interrupted',
    load: async () => (await import('./commands/uploads.ts')).uploadsResume,
  },
  'uploads abort': {
    summary: 'End an upload that was interrupted',
    load: async () => (await import('./commands/uploads.ts')).uploadsAbort,
  },
  'schedule list': {
    summary: 'List the jobs, and when each was run and is due',
    load: async () => (await import('./commands/schedule.ts')).scheduleList,
    isDefault: true,
  },
  'schedule add': {
    summary: 'Have a command run again and again',
    load: async () => (await import('./commands/schedule.ts')).scheduleAdd,
  },
  'schedule remove': {
    summary: 'Forget a job',
    load: async () => (await import('./commands/schedule.ts')).scheduleRemove,
  },
  'schedule run': {
    summary: 'Run the jobs when they are due',
    load: async () => (await import('./commands/schedule-run.ts')).scheduleRun,
  },
  'schedule export': {
    summary: 'Print what has the jobs run from boot on',
    load: async () => (await import('./commands/schedule-export.ts')).scheduleExport,
  },
  'token create': {
    summary: 'Make a token for a user of a registry on this machine',
    load: async () => (await import('./commands/token.ts')).tokenCreate,
  },
  'token list': {
    summary: 'List the tokens that a registry on this machine knows',
    load: async () => (await import('./commands/token.ts')).tokenList,
  },
  'token revoke': {
    summary: 'Forget tokens of a registry on this machine',
    load: async () => (await import('./commands/token.ts')).tokenRevoke,
  },
  'registry verify': {
    summary: 'Compare every object of a registry on this machine with its manifest',
    load: async () => (await import('./commands/registry-verify.ts')).registryVerify,
  },
  'registry backup': {
    summary: 'Copy what is new in a registry on this machine to another folder',
    load: async () => (await import('./commands/registry-backup.ts')).registryBackup,
  },
  'cache ls': {
    summary: 'List the versions in the cache, and the clones of each',
    load: async () => (await import('./commands/cache-ls.ts')).cacheLs,
  },
  'cache du': {
    summary: 'Measure the cache',
    load: async () => (await import('./commands/cache-du.ts')).cacheDu,
  },
  'cache verify': {
    summary: 'Compare the cache with what it must hold, and repair it',
    load: async () => (await import('./commands/cache-verify.ts')).cacheVerify,
  },
  'cache prune': {
    summary: 'Free space: remove what no clone needs',
    load: async () => (await import('./commands/cache-prune.ts')).cachePrune,
  },
  'cache rm': {
    summary: 'Remove versions from the cache',
    load: async () => (await import('./commands/cache-rm.ts')).cacheRm,
  },
  'cache path': {
    summary: 'Print the folder of the cache',
    load: async () => (await import('./commands/cache-path.ts')).cachePath,
  },
  'config get': {
    summary: 'Print the value of a setting',
    load: async () => (await import('./commands/config.ts')).configGet,
  },
  'config set': {
    summary: 'Settle a setting in the config file',
    load: async () => (await import('./commands/config.ts')).configSet,
  },
  'config unset': {
    summary: 'Remove a setting from the config file',
    load: async () => (await import('./commands/config.ts')).configUnset,
  },
  'config list': {
    summary: 'List the settings and where each comes from',
    load: async () => (await import('./commands/config.ts')).configList,
  },
  completion: {
    summary: 'Print a script that completes commands and refs in a shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
};
