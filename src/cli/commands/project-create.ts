import { argument, type Command } from '../command.ts';

interface Options {
  owner?: string[];
}

export const projectCreate: Command<{ project: string }, Options> = {
  usage: 'create <project>',
  summary: 'Create a project',
  example: 'gypsum project create my-project --owner alice',
  flags: [
    { flags: '--owner <id>', description: 'a user or organisation that owns it; may be given again', many: true },
  ],
  async run({ args, options, client, signal, onEvent }) {
    const project = argument(args, 0);
    await client().createProject(project, { ...(options.owner && { owners: options.owner }), signal, onEvent });
    return { project };
  },
  human: ({ project }) => `Created the project ${project}.`,
};
