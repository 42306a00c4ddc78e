import type { Flag } from './command.ts';

/** Which files of a version are meant. */
export const selectionFlags: readonly Flag[] = [
  {
    flags: '--include <glob>',
    description: 'only such files, as "**/*.csv", "{a,b}.txt" or a folder; may be given several times',
    many: true,
  },
  { flags: '--exclude <glob>', description: 'not such files, of those that are included', many: true },
];
