import prettyBytes from 'pretty-bytes';
import { formatRef, parseVersionRef } from '../../model/refs.ts';
import type { LinkRule } from '../../ops/prepare-directory-upload.ts';
import type { UploadResult } from '../../ops/upload-directory.ts';
import { argument, type Command } from '../command.ts';
import { linksFlag } from './prepare.ts';

interface Options {
  links?: LinkRule;
  deduplicate?: boolean;
  probation?: boolean;
}

export const upload: Command<UploadResult, Options> = {
  usage: 'upload <folder> <project/asset/version>',
  summary: 'Publish a folder as a new version; what has not changed is not sent',
  example: 'gypsum upload my-folder my-project/my-asset/v2',
  flags: [
    linksFlag,
    { flags: '--probation', description: 'publish on probation, to be approved by an owner' },
    { flags: '--no-deduplicate', description: 'send also what the latest version has' },
  ],
  run({ args, client, options, signal, onEvent }) {
    const ref = parseVersionRef(argument(args, 1));
    return client().uploadDirectory(ref, argument(args, 0), { ...options, signal, onEvent });
  },
  human: ({ files, bytes, sent, linked, ...ref }) =>
    [
      `Published ${formatRef(ref)}: ${files} files, ${prettyBytes(bytes)};`,
      `sent ${sent.files} (${prettyBytes(sent.bytes)}), linked ${linked.files} (${prettyBytes(linked.bytes)}).`,
    ].join(' '),
};
