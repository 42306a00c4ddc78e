import prettyBytes from 'pretty-bytes';
import { GypsumError, isGypsumError } from '../../errors.ts';
import { formatRef, parseAssetRef, parseVersionRef, type VersionRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { argument, type Call, type Command, type Flag } from '../command.ts';
import { confirm, yesFlag } from '../confirm.ts';
import { count } from '../text.ts';

interface Options {
  yes?: boolean;
  dryRun?: boolean;
}

interface Removed {
  readonly removed: string;
  readonly dryRun: boolean;
}

const flags: readonly Flag[] = [yesFlag, { flags: '--dry-run', description: 'say what would go, and remove nothing' }];

const human = ({ removed, dryRun }: Removed) => `${dryRun ? 'Would remove' : 'Removed'} ${showText(removed)}.`;

export const projectRemove: Command<Removed, Options> = {
  usage: 'remove <project>',
  summary: 'Remove a project with all that is in it (administrators only)',
  example: 'gypsum project remove my-project --yes',
  flags,
  async run(call) {
    const project = argument(call.args, 0);
    const { signal, onEvent } = call;
    const client = call.client();
    checkListed(await client.listProjects({ signal, onEvent }), project, { project });
    const assets = await client.listAssets(project, { signal, onEvent });
    const used = await orNothing(client.fetchUsage(project, { signal, onEvent }));
    const size = used === undefined ? '' : ` (${prettyBytes(used)})`;
    const what = `the project ${showText(project)} with ${count(assets.length, 'asset')}${size}`;
    return remove(call, project, what, () => client.removeProject(project, { signal, onEvent }));
  },
  human,
};

export const assetRemove: Command<Removed, Options> = {
  usage: 'remove <project/asset>',
  summary: 'Remove an asset with all its versions (administrators only)',
  example: 'gypsum asset remove my-project/my-asset --yes',
  flags,
  async run(call) {
    const ref = parseAssetRef(argument(call.args, 0));
    const { signal, onEvent } = call;
    const client = call.client();
    checkListed(await client.listAssets(ref.project, { signal, onEvent }), ref.asset, ref);
    const versions = await client.listVersions(ref, { signal, onEvent });
    const what = `the asset ${formatRef(ref)} with ${count(versions.length, 'version')}`;
    return remove(call, formatRef(ref), what, () => client.removeAsset(ref, { signal, onEvent }));
  },
  human,
};

export const versionRemove: Command<Removed, Options> = {
  usage: 'remove <project/asset/version>',
  summary: 'Remove a version (administrators only)',
  example: 'gypsum version remove my-project/my-asset/v1 --yes',
  flags,
  async run(call) {
    const ref = parseVersionRef(argument(call.args, 0));
    const { signal, onEvent } = call;
    const client = call.client();
    checkListed(await client.listVersions(ref, { signal, onEvent }), ref.version, ref);
    const what = `the version ${formatRef(ref)}; links of other versions to its files will lead nowhere, if there are any`;
    return remove(call, formatRef(ref), what, () => client.removeVersion(ref, { signal, onEvent }));
  },
  human,
};

export const versionReject: Command<Removed, Options> = {
  usage: 'reject <project/asset/version>',
  summary: 'Remove a version that is on probation (owners, and who uploaded it)',
  example: 'gypsum version reject my-project/my-asset/v2 --yes',
  flags,
  async run(call) {
    const ref = parseVersionRef(argument(call.args, 0));
    const { signal, onEvent } = call;
    const client = call.client();
    const { onProbation, uploadUserId } = await client.fetchSummary(ref, { signal, onEvent });
    if (!onProbation) {
      throw new GypsumError('refused', `The version ${formatRef(ref)} is not on probation.`, {
        hint: `Administrators can remove it: gypsum version remove ${formatRef(ref)}`,
        details: { ...ref },
      });
    }
    const what = `the version ${formatRef(ref)}, which ${showText(uploadUserId)} has uploaded on probation`;
    return remove(call, formatRef(ref), what, () => client.rejectProbation(ref, { signal, onEvent }));
  },
  human,
};

/** Registries remove what is not there without a word; whoever has typed a name wrong wants to know. */
function checkListed(names: readonly string[], name: string, ref: Partial<VersionRef>): void {
  if (names.includes(name)) return;
  const [project = '', ...rest] = [ref.project, ref.asset, ref.version].filter((part) => part !== undefined);
  const what = ['project', 'asset', 'version'][rest.length];
  throw new GypsumError('not-found', `There is no ${what} ${[project, ...rest].map(showText).join('/')}.`, {
    hint: 'Nothing was removed. List what there is with "gypsum projects", "gypsum assets" and "gypsum versions".',
    details: { ...ref },
  });
}

async function remove(
  { options, signal }: Pick<Call<Options>, 'options' | 'signal'>,
  name: string,
  what: string,
  work: () => Promise<void>,
): Promise<Removed> {
  const dryRun = options.dryRun === true;
  if (!dryRun) {
    await confirm(name, `This removes ${what}. It cannot be undone.`, { yes: options.yes, signal });
    await work();
  }
  return { removed: what.split(';')[0] ?? what, dryRun };
}

async function orNothing<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}
