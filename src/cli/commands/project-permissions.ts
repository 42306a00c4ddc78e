import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import type { Uploader } from '../../ops/create-project.ts';
import type { Permissions } from '../../ops/permissions.ts';
import { argument, type Command } from '../command.ts';
import { parseLater } from '../durations.ts';

interface Options {
  addOwner?: string[];
  removeOwner?: string[];
  addUploader?: string[];
  removeUploader?: string[];
  onlyAsset?: string;
  onlyVersion?: string;
  until?: Date;
  trusted?: boolean;
  dryRun?: boolean;
}

export const projectPermissions: Command<Permissions & { project: string }, Options> = {
  usage: 'permissions <project>',
  summary: 'Show who may do what in a project, or change it (owners only)',
  example: 'gypsum project permissions my-project --add-uploader bob --until 30d',
  flags: [
    { flags: '--add-owner <id>', description: 'a user or organisation; may be given again', many: true },
    { flags: '--remove-owner <id>', description: 'an owner that goes; may be given again', many: true },
    {
      flags: '--add-uploader <id>',
      description: 'a user or organisation, also one whose limits change; may be given again',
      many: true,
    },
    {
      flags: '--remove-uploader <id>',
      description: 'an uploader that goes, with all its entries; may be given again',
      many: true,
    },
    { flags: '--only-asset <asset>', description: 'the added uploaders may upload to this asset alone' },
    { flags: '--only-version <version>', description: 'the added uploaders may upload this version alone' },
    { flags: '--until <when>', description: 'a date, or how long from now, such as 30d', parse: parseLater },
    { flags: '--trusted', description: 'what the added uploaders send is not put on probation' },
    { flags: '--dry-run', description: 'show what would hold, and change nothing' },
  ],
  async run({ args, options, client, signal, onEvent }) {
    const project = argument(args, 0);
    const before = await client().fetchPermissions(project, { signal, onEvent });
    const after = change(before, options);
    if (after === before || options.dryRun) return { project, ...after };
    await client().setPermissions(project, { ...after, append: false, signal, onEvent });
    return { project, ...after };
  },
  human({ owners, uploaders }) {
    const lines = [
      ...owners.map((id) => `owner     ${showText(id)}`),
      ...uploaders.map((uploader) => `uploader  ${describe(uploader)}`),
    ];
    return lines.length === 0 ? 'Nobody but administrators may do anything.' : lines.join('\n');
  },
};

function change(before: Permissions, options: Options): Permissions {
  const { addOwner = [], removeOwner = [], addUploader = [], removeUploader = [] } = options;
  const { onlyAsset: asset, onlyVersion: version, until, trusted } = options;
  const limits = {
    ...(asset !== undefined && { asset }),
    ...(version !== undefined && { version }),
    ...(until !== undefined && { until }),
    ...(trusted !== undefined && { trusted }),
  };
  if (addUploader.length === 0 && Object.keys(limits).length > 0) {
    throw new GypsumError(
      'invalid-argument',
      '--only-asset, --only-version, --until and --trusted are of uploaders that are added, and none is.',
      {
        hint: 'Name one with --add-uploader.',
      },
    );
  }
  if ([addOwner, removeOwner, addUploader, removeUploader].every((names) => names.length === 0)) return before;
  const kept = before.owners.filter((id) => !removeOwner.includes(id));
  const known = new Map(before.uploaders.toReversed().map((uploader) => [uploader.id, uploader]));
  for (const id of removeUploader) known.delete(id);
  return {
    owners: [...new Set([...kept, ...addOwner])],
    // Of several entries of a name registries take the first: a new one takes their place, and what is not said stays.
    uploaders: [
      ...before.uploaders.filter(({ id }) => !removeUploader.includes(id) && !addUploader.includes(id)),
      ...addUploader.map((id): Uploader => ({ ...known.get(id), id, ...limits })),
    ],
  };
}

function describe({ id, asset, version, until, trusted }: Uploader): string {
  const limits = [
    asset === undefined ? undefined : `asset ${showText(asset)}`,
    version === undefined ? undefined : `version ${showText(version)}`,
    until === undefined ? undefined : `until ${until.toISOString()}`,
    trusted ? 'trusted' : undefined,
  ].filter((limit) => limit !== undefined);
  return [showText(id), ...(limits.length === 0 ? [] : [`(${limits.join(', ')})`])].join(' ');
}
