import prettyBytes from 'pretty-bytes';
import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { SaveResult } from '../../ops/save-version.ts';
import { argument, type Command } from '../command.ts';
import { filesAndBytes } from '../text.ts';
import { versionOf } from '../version-of.ts';

export const save: Command<SaveResult> = {
  usage: 'save <project/asset[/version]>',
  summary: 'Fetch a version into the cache, verified',
  example: 'gypsum save my-project/my-asset/v1',
  run: async (call) => call.client().saveVersion(await versionOf(call, argument(call.args, 0)), call),
  human: ({ directory, files, bytes, fetched, ...ref }) =>
    `Saved ${formatRef(ref)}: ${filesAndBytes({ files, bytes })}; fetched ${prettyBytes(fetched.bytes)}.\n${showText(directory)}`,
};
