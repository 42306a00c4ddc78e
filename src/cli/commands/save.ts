import prettyBytes from 'pretty-bytes';
import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { SaveResult } from '../../ops/save-version.ts';
import { argument, type Command } from '../command.ts';
import { filesAndBytes } from '../text.ts';
import { versionOf } from '../version-of.ts';

interface Options {
  overwrite?: boolean;
}

export const save: Command<SaveResult, Options> = {
  usage: 'save <project/asset[/version]>',
  summary: 'Fetch a version into the cache, verified',
  example: 'gypsum save my-project/my-asset/v1',
  flags: [{ flags: '--overwrite', description: 'fetch it also if it is in the cache' }],
  async run(call) {
    const { signal, onEvent, options } = call;
    return call.client().saveVersion(await versionOf(call, argument(call.args, 0)), { signal, onEvent, ...options });
  },
  human: ({ directory, files, bytes, fetched, ...ref }) =>
    `Saved ${formatRef(ref)}: ${filesAndBytes({ files, bytes })}; fetched ${prettyBytes(fetched.bytes)}.\n${showText(directory)}`,
};
