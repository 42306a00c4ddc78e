import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';

export const projectUnlock: Command<{ project: string; wasLocked: boolean }> = {
  usage: 'unlock <project>',
  summary: 'Free a project of an upload that nobody can end any more, such as a killed one (administrators only)',
  example: 'gypsum project unlock my-project',
  async run({ args, client, signal, onEvent }) {
    const project = argument(args, 0);
    return { project, wasLocked: await client().unlockProject(project, { signal, onEvent }) };
  },
  human: ({ project, wasLocked }) =>
    wasLocked ? `Unlocked the project ${showText(project)}.` : `The project ${showText(project)} was not locked.`,
};
