import prettyBytes from 'pretty-bytes';
import { GypsumError } from '../../errors.ts';
import { formatRef, parseVersionRef } from '../../model/refs.ts';
import type { UploadPlan } from '../../model/upload-plan.ts';
import type { UploadResult } from '../../ops/apply-upload.ts';
import type { LinkRule } from '../../ops/read-folder.ts';
import { argument, type Command } from '../command.ts';
import { filesAndBytes } from '../text.ts';
import { linksFlag, showPlan } from './prepare.ts';

interface Options {
  links?: LinkRule;
  rescue?: boolean;
  deduplicate?: boolean;
  probation?: boolean;
  dryRun?: boolean;
  ifChanged?: boolean;
  wait?: boolean;
}

export const upload: Command<UploadResult | UploadPlan, Options> = {
  usage: 'upload <folder> <project/asset/version>',
  summary: 'Publish a folder as a new version; what has not changed is not sent',
  example: 'gypsum upload my-folder my-project/my-asset/v2',
  flags: [
    { flags: '--dry-run', description: 'show what would be sent and linked, and do nothing' },
    { flags: '--if-changed', description: 'publish only if anything differs from the latest version' },
    { flags: '--wait', description: 'wait for as long as another upload to the project is in progress' },
    linksFlag,
    { flags: '--rescue', description: 'make files of links that were edited through, and mend the cache' },
    { flags: '--probation', description: 'publish on probation, to be approved by an owner' },
    { flags: '--no-deduplicate', description: 'send also what a known version has' },
  ],
  async run({ args, client, options, signal, onEvent }) {
    const { dryRun = false, ...upload } = options;
    if (dryRun && upload.rescue === true) {
      throw new GypsumError('invalid-argument', '"--rescue" changes files, and "--dry-run" shall change nothing.', {
        hint: 'Leave out one of them.',
      });
    }
    const ref = parseVersionRef(argument(args, 1));
    const call = { ...upload, signal, onEvent };
    return dryRun
      ? client().planUpload(ref, argument(args, 0), call)
      : client().uploadDirectory(ref, argument(args, 0), call);
  },
  human(result) {
    if (!('published' in result)) {
      const { unchangedSince } = result;
      const same = unchangedSince === undefined ? '' : `\nNothing has changed since ${formatRef(unchangedSince)}.`;
      return showPlan(result) + same;
    }
    const { published, files, bytes, sent, linked, ...ref } = result;
    if (!published) return `Nothing has changed since ${formatRef(ref)}; nothing was published.`;
    return [
      `Published ${formatRef(ref)}: ${filesAndBytes({ files, bytes })};`,
      `sent ${sent.files} (${prettyBytes(sent.bytes)}), linked ${linked.files} (${prettyBytes(linked.bytes)}).`,
    ].join(' ');
  },
};
