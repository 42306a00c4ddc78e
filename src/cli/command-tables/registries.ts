import type { CommandTable } from '../command.ts';

/** What registries are run and looked after with. */
export const registries: CommandTable = {
  serve: {
    summary: 'Run a registry on this machine',
    load: async () => (await import('../commands/serve.ts')).serve,
  },
  login: {
    summary: 'Check a token, and remember it for the registry',
    load: async () => (await import('../commands/login.ts')).login,
  },
  logout: {
    summary: 'Forget the token of the login at the registry',
    load: async () => (await import('../commands/logout.ts')).logout,
  },
  whoami: {
    summary: 'Show whose token is used at the registry',
    load: async () => (await import('../commands/whoami.ts')).whoami,
  },
  'project create': {
    summary: 'Create a project',
    load: async () => (await import('../commands/project-create.ts')).projectCreate,
  },
  'project permissions': {
    summary: 'Show or change who may do what in a project',
    load: async () => (await import('../commands/project-permissions.ts')).projectPermissions,
  },
  'project quota': {
    summary: 'Show or change how much a project may store',
    load: async () => (await import('../commands/project-quota.ts')).projectQuota,
  },
  'project usage': {
    summary: 'Show how much a project stores',
    load: async () => (await import('../commands/project-quota.ts')).projectUsage,
  },
  'project lock': {
    summary: 'Show what holds a project',
    load: async () => (await import('../commands/project-lock.ts')).projectLock,
  },
  'project unlock': {
    summary: 'End the upload that holds a project',
    load: async () => (await import('../commands/project-lock.ts')).projectUnlock,
  },
  'project remove': {
    summary: 'Remove a project',
    load: async () => (await import('../commands/removals.ts')).projectRemove,
  },
  'asset remove': {
    summary: 'Remove an asset',
    load: async () => (await import('../commands/removals.ts')).assetRemove,
  },
  'version summary': {
    summary: 'Show who uploaded a version, and when',
    load: async () => (await import('../commands/version.ts')).versionSummary,
  },
  'version approve': {
    summary: 'Make a version official that is on probation',
    load: async () => (await import('../commands/version.ts')).versionApprove,
  },
  'version reject': {
    summary: 'Remove a version that is on probation',
    load: async () => (await import('../commands/removals.ts')).versionReject,
  },
  'version remove': {
    summary: 'Remove a version',
    load: async () => (await import('../commands/removals.ts')).versionRemove,
  },
  'refresh latest': {
    summary: 'Have the registry find the latest version again',
    load: async () => (await import('../commands/refresh.ts')).refreshLatest,
  },
  'refresh usage': {
    summary: 'Have the registry count what is stored again',
    load: async () => (await import('../commands/refresh.ts')).refreshUsage,
  },
};
