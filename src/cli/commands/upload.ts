import prettyBytes from 'pretty-bytes';
import { GypsumError } from '../../errors.ts';
import { checkUploadPlan } from '../../model/check-upload-plan.ts';
import { formatFileRef, formatRef, parseVersionRef } from '../../model/refs.ts';
import { TREE_RECORD } from '../../model/tree-record.ts';
import type { UploadPlan } from '../../model/upload-plan.ts';
import { ownFiles } from '../../model/version-tree.ts';
import type { UploadResult } from '../../ops/apply-upload.ts';
import type { LinkRule } from '../../ops/read-folder.ts';
import type { Command } from '../command.ts';
import { readPlanFile } from '../read-plan-file.ts';
import { checkRescue, rescueFlag } from '../rescue-flag.ts';
import { filesAndBytes } from '../text.ts';
import { linksFlag, readSymlinkRule, type SymlinkOptions, showPlan, symlinkFlags } from './prepare.ts';

interface Options extends SymlinkOptions {
  links?: LinkRule;
  rescue?: boolean;
  deduplicate?: boolean;
  probation?: boolean;
  dryRun?: boolean;
  plan?: string;
  ifChanged?: boolean;
  wait?: boolean;
}

export const upload: Command<UploadResult | UploadPlan, Options> = {
  usage: 'upload [folder] [project/asset/version]',
  summary: 'Publish a folder as a new version; what has not changed is not sent',
  example: 'gypsum upload my-folder my-project/my-asset/v2',
  flags: [
    { flags: '--dry-run', description: 'show what would be sent and linked, and do nothing' },
    { flags: '--plan <file>', description: 'publish what "--dry-run --json" has written to a file, and nothing else' },
    { flags: '--if-changed', description: 'publish only if anything differs from the latest version' },
    { flags: '--wait', description: 'wait for as long as another upload to the project is in progress' },
    linksFlag,
    ...symlinkFlags,
    rescueFlag,
    { flags: '--probation', description: 'publish on probation, to be approved by an owner' },
    { flags: '--no-deduplicate', description: 'send also what a known version has' },
  ],
  async run({ args, client, options, signal, onEvent }) {
    const { plan, dryRun = false, symlinks, followLinks, ...upload } = options;
    const rule = readSymlinkRule(options);
    const call = { ...upload, ...rule, signal, onEvent };
    if (plan !== undefined) {
      checkAlone(args, options);
      const made = 'gypsum upload FOLDER PROJECT/ASSET/VERSION --dry-run --json';
      return client().applyUpload(await readPlanFile(plan, made, checkUploadPlan), call);
    }
    const [folder, version] = args;
    if (folder === undefined || version === undefined) {
      throw new GypsumError('invalid-argument', 'There is no folder, or no version to publish it as.', {
        hint: 'Give both, or a plan: gypsum upload --help',
      });
    }
    checkRescue(options);
    const ref = parseVersionRef(version);
    return dryRun ? client().planUpload(ref, folder, call) : client().uploadDirectory(ref, folder, call);
  },
  human(result) {
    if (!('published' in result)) {
      const { unchangedSince } = result;
      return [
        showPlan({ ...result, links: ownFiles(result.links) }),
        ...showRecord(result),
        ...(unchangedSince === undefined ? [] : [`Nothing has changed since ${formatRef(unchangedSince)}.`]),
      ].join('\n');
    }
    const { published, files, bytes, sent, linked, ignored = 0, ...ref } = result;
    if (!published) return `Nothing has changed since ${formatRef(ref)}; nothing was published.`;
    const sums = [
      `Published ${formatRef(ref)}: ${filesAndBytes({ files, bytes })};`,
      `sent ${sent.files} (${prettyBytes(sent.bytes)}), linked ${linked.files} (${prettyBytes(linked.bytes)}).`,
    ].join(' ');
    return ignored === 0 ? sums : `${sums}\nLeft out by .gypsumignore: ${ignored}.`;
  },
};

/** Tells of the tree record, which is none of the files. */
function showRecord({ record, links }: UploadPlan): string[] {
  const link = links.find(({ path }) => path === TREE_RECORD);
  if (record === undefined && link === undefined) return [];
  const how =
    record === undefined ? `a link to ${link && formatFileRef(link.link)}` : `${prettyBytes(record.size)} to send`;
  return [`symlinks, folders and permissions: in ${TREE_RECORD}, ${how}`];
}

/** Throws `invalid-argument` if anything is asked for that a plan has settled already. */
function checkAlone(args: readonly string[], options: Options): void {
  const { dryRun, ifChanged, links, symlinks, followLinks, rescue, deduplicate } = options;
  const isRuled = links !== undefined || symlinks !== undefined || followLinks;
  const settled = dryRun || ifChanged || isRuled || rescue || deduplicate === false;
  if (args.length === 0 && !settled) return;
  throw new GypsumError('invalid-argument', 'A plan says already what is published, and as which version.', {
    hint: 'Give nothing beside "--plan" but "--probation" and "--wait".',
  });
}
