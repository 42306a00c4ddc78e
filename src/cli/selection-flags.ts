import type { Flag } from './command.ts';

/** Which files of a version are meant. */
export const selectionFlags: readonly Flag[] = [
  {
    flags: '--include <glob>',
    description: 'only files that match, such as "**/*.csv", "{a,b}.txt" or a folder; may be given again',
    many: true,
  },
  {
    flags: '--exclude <glob>',
    description: 'no files that match, of those that are included; may be given again',
    many: true,
  },
];
