import type { CommandTable } from './command.ts';
import { folders } from './command-tables/folders.ts';
import { machine } from './command-tables/machine.ts';
import { registries } from './command-tables/registries.ts';
import { versions } from './command-tables/versions.ts';

/** Every command by its words, in the order of the help. Only the one that is called is loaded. */
export const commands: CommandTable = { ...registries, ...versions, ...folders, ...machine };
