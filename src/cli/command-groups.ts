/** What the commands of two words are about, by the first of them. */
export const groups: Readonly<Record<string, string>> = {
  project: 'Create projects and look after them',
  asset: 'Remove assets',
  version: 'Look after versions',
  refresh: 'Have the registry count again',
  uploads: 'List, resume and abort uploads that were interrupted',
  schedule: 'Have commands run again and again, by interval or by clock',
  compat: 'Take the place of other programs that replicate folders, with their command lines',
  token: 'Make, list and revoke the tokens of a registry on this machine',
  registry: 'Look after a registry on this machine',
  cache: 'Look into the cache, check it, and free space',
  config: 'Show and change settings',
};
