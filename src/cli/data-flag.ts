import { defaultDataDir } from '../config.ts';
import type { Flag } from './command.ts';

/** Of commands for a registry on this machine. */
export const dataFlag: Flag = {
  flags: '--data <folder>',
  description: `the folder that "gypsum serve" was given (default: ${defaultDataDir()})`,
};
