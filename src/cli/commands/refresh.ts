import prettyBytes from 'pretty-bytes';
import { type AssetRef, formatRef, parseAssetRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';

export const refreshLatest: Command<AssetRef & { latest: string | null }> = {
  usage: 'latest <project/asset>',
  summary: 'Have the registry find an asset’s latest version again (administrators only)',
  example: 'gypsum refresh latest my-project/my-asset',
  async run({ args, client, signal, onEvent }) {
    const ref = parseAssetRef(argument(args, 0));
    const found = await client().refreshLatest(ref, { signal, onEvent });
    return { ...ref, latest: found?.version ?? null };
  },
  human: ({ latest, ...ref }) =>
    latest === null
      ? `${formatRef(ref)} has no latest version.`
      : `The latest version of ${formatRef(ref)} is ${showText(latest)}.`,
};

export const refreshUsage: Command<{ project: string; used: number }> = {
  usage: 'usage <project>',
  summary: 'Have the registry count again what a project stores (administrators only)',
  example: 'gypsum refresh usage my-project',
  async run({ args, client, signal, onEvent }) {
    const project = argument(args, 0);
    return { project, used: await client().refreshUsage(project, { signal, onEvent }) };
  },
  human: ({ project, used }) => `The project ${showText(project)} stores ${prettyBytes(used)}.`,
};
