import { showText } from '../../model/text.ts';
import type { ProjectLock } from '../../ops/lock.ts';
import { argument, type Command } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';

export const projectLock: Command<{ project: string; locked: boolean } & Partial<ProjectLock>> = {
  usage: 'lock <project>',
  summary: 'Show what holds a project, since when, and whose it is',
  example: 'gypsum project lock my-project',
  async run({ args, client, signal, onEvent }) {
    const project = argument(args, 0);
    const lock = await client().fetchLock(project, { signal, onEvent });
    return lock === undefined ? { project, locked: false } : { project, locked: true, ...lock };
  },
  human: ({ project, locked, ...lock }) =>
    locked
      ? `The project ${showText(project)} is locked by ${describe({ work: 'upload', ...lock })}.`
      : `The project ${showText(project)} is not locked.`,
};

export const projectUnlock: Command<{ project: string; wasLocked: boolean }, { yes?: boolean }> = {
  usage: 'unlock <project>',
  summary: 'End the upload that holds a project, such as one that was killed; what it has sent goes',
  example: 'gypsum project unlock my-project --yes',
  flags: [yesFlag],
  async run({ args, options, client, signal, onEvent }) {
    const project = argument(args, 0);
    const call = { signal, onEvent };
    const lock = await client().fetchLock(project, call);
    if (lock === undefined) return { project, wasLocked: false };
    const warning = `This ends ${describe(lock)} to the project ${showText(project)}.`;
    await confirm(project, warning, { yes: options.yes, signal });
    const canRelease = (await client().context.registry.features(call)).has('release');
    // A registry that cannot end an upload lets administrators take its lock away.
    const wasLocked = await (canRelease
      ? client().releaseProject(project, call)
      : client().unlockProject(project, call));
    return { project, wasLocked };
  },
  human: ({ project, wasLocked }) =>
    wasLocked ? `Unlocked the project ${showText(project)}.` : `The project ${showText(project)} was not locked.`,
};

function describe({ work, asset, version, user, since }: ProjectLock): string {
  const what = work === 'upload' ? 'the upload' : `the registry's own work (${showText(work)})`;
  const of = asset === undefined ? '' : ` of ${showText([asset, version].filter((part) => part).join('/'))}`;
  const by = user === undefined ? '' : ` by ${showText(user)}`;
  return `${what}${of}${by}${since === undefined ? '' : ` since ${since.toISOString()}`}`;
}
