import type { CommandTable } from '../command.ts';

/** What is looked after on this machine. */
export const machine: CommandTable = {
  'schedule list': {
    summary: 'List the jobs, and when each was run and is due',
    load: async () => (await import('../commands/schedule.ts')).scheduleList,
    isDefault: true,
  },
  'schedule add': {
    summary: 'Have a command run again and again',
    load: async () => (await import('../commands/schedule.ts')).scheduleAdd,
  },
  'schedule remove': {
    summary: 'Forget a job',
    load: async () => (await import('../commands/schedule.ts')).scheduleRemove,
  },
  'schedule run': {
    summary: 'Run the jobs when they are due',
    load: async () => (await import('../commands/schedule-run.ts')).scheduleRun,
  },
  'schedule export': {
    summary: 'Print what has the jobs run from boot on',
    load: async () => (await import('../commands/schedule-export.ts')).scheduleExport,
  },
  'token create': {
    summary: 'Make a token for a user of a registry on this machine',
    load: async () => (await import('../commands/token.ts')).tokenCreate,
  },
  'token list': {
    summary: 'List the tokens that a registry on this machine knows',
    load: async () => (await import('../commands/token.ts')).tokenList,
  },
  'token revoke': {
    summary: 'Forget tokens of a registry on this machine',
    load: async () => (await import('../commands/token.ts')).tokenRevoke,
  },
  'registry verify': {
    summary: 'Compare every object of a registry on this machine with its manifest',
    load: async () => (await import('../commands/registry-verify.ts')).registryVerify,
  },
  'registry backup': {
    summary: 'Copy what is new in a registry on this machine to another folder',
    load: async () => (await import('../commands/registry-backup.ts')).registryBackup,
  },
  'cache ls': {
    summary: 'List the versions in the cache, and the clones of each',
    load: async () => (await import('../commands/cache-ls.ts')).cacheLs,
  },
  'cache du': {
    summary: 'Measure the cache',
    load: async () => (await import('../commands/cache-du.ts')).cacheDu,
  },
  'cache verify': {
    summary: 'Compare the cache with what it must hold, and repair it',
    load: async () => (await import('../commands/cache-verify.ts')).cacheVerify,
  },
  'cache prune': {
    summary: 'Free space: remove what no clone needs',
    load: async () => (await import('../commands/cache-prune.ts')).cachePrune,
  },
  'cache rm': {
    summary: 'Remove versions from the cache',
    load: async () => (await import('../commands/cache-rm.ts')).cacheRm,
  },
  'cache path': {
    summary: 'Print the folder of the cache',
    load: async () => (await import('../commands/cache-path.ts')).cachePath,
  },
  'config get': {
    summary: 'Print the value of a setting',
    load: async () => (await import('../commands/config.ts')).configGet,
  },
  'config set': {
    summary: 'Settle a setting in the config file',
    load: async () => (await import('../commands/config.ts')).configSet,
  },
  'config unset': {
    summary: 'Remove a setting from the config file',
    load: async () => (await import('../commands/config.ts')).configUnset,
  },
  'config list': {
    summary: 'List the settings and where each comes from',
    load: async () => (await import('../commands/config.ts')).configList,
  },
  completion: {
    summary: 'Print a script that completes commands and refs in a shell',
    load: async () => (await import('../commands/completion.ts')).completion,
  },
};
