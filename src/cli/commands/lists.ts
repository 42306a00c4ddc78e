import { GypsumError } from '../../errors.ts';
import { manifestPaths } from '../../model/manifest.ts';
import { formatRef, parseAssetRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { withoutRecord } from '../../model/version-tree.ts';
import { argument, type Command } from '../command.ts';
import { versionOf } from '../version-of.ts';

const lines = (names: readonly string[]) => names.map(showText).join('\n');

export const projects: Command<string[]> = {
  usage: 'projects',
  summary: 'List the projects of the registry',
  example: 'gypsum projects',
  run: ({ client, signal, onEvent }) => client().listProjects({ signal, onEvent }),
  human: lines,
};

export const assets: Command<string[]> = {
  usage: 'assets <project>',
  summary: 'List the assets of a project',
  example: 'gypsum assets my-project',
  async run({ args, client, signal, onEvent }) {
    const project = argument(args, 0);
    const found = await client().listAssets(project, { signal, onEvent });
    if (found.length > 0 || (await client().listProjects({ signal, onEvent })).includes(project)) return found;
    throw new GypsumError('not-found', `There is no project ${showText(project)}.`, {
      hint: 'List what there is with "gypsum projects".',
      details: { project },
    });
  },
  human: lines,
};

export const versions: Command<string[]> = {
  usage: 'versions <project/asset>',
  summary: 'List the versions of an asset',
  example: 'gypsum versions my-project/my-asset',
  async run({ args, client, signal, onEvent }) {
    const { project, asset } = parseAssetRef(argument(args, 0));
    const found = await client().listVersions({ project, asset }, { signal, onEvent });
    if (found.length > 0 || (await client().listAssets(project, { signal, onEvent })).includes(asset)) return found;
    throw new GypsumError('not-found', `There is no asset ${formatRef({ project, asset })}.`, {
      hint: `List what there is with "gypsum projects" and "gypsum assets ${showText(project)}".`,
      details: { project, asset },
    });
  },
  human: lines,
};

export const files: Command<string[]> = {
  usage: 'files <project/asset[/version]>',
  summary: 'List the files of a version, linked ones included',
  example: 'gypsum files my-project/my-asset/v1',
  async run(call) {
    const manifest = await call.client().fetchManifest(await versionOf(call, argument(call.args, 0)), call);
    return manifestPaths(withoutRecord(manifest));
  },
  human: lines,
};
