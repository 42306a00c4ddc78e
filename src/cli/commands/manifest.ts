import prettyBytes from 'pretty-bytes';
import { type Manifest, manifestPaths } from '../../model/manifest.ts';
import { formatFileRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';
import { versionOf } from '../version-of.ts';

export const manifest: Command<Manifest> = {
  usage: 'manifest <project/asset[/version]>',
  summary: 'Show the files of a version with size, MD5 and links',
  example: 'gypsum manifest my-project/my-asset/v1 --json',
  run: async (call) => call.client().fetchManifest(await versionOf(call, argument(call.args, 0)), call),
  human: (files) =>
    manifestPaths(files)
      .map((path) => {
        const entry = files[path];
        if (entry === undefined) throw new Error(`the manifest has no ${path}`);
        const { size, md5sum, link } = entry;
        const to = link === undefined ? '' : ` -> ${formatFileRef(link)}`;
        return `${md5sum}  ${prettyBytes(size).padStart(9)}  ${showText(path)}${to}`;
      })
      .join('\n'),
};
