import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';

export const projectUnlock: Command<{ project: string }> = {
  usage: 'unlock <project>',
  summary: 'Free a project of an upload that nobody can end any more, such as a killed one (administrators only)',
  example: 'gypsum project unlock my-project',
  async run({ args, client, signal, onEvent }) {
    const project = argument(args, 0);
    await client().unlockProject(project, { signal, onEvent });
    return { project };
  },
  human: ({ project }) => `Unlocked the project ${showText(project)}.`,
};
