import prettyBytes from 'pretty-bytes';
import { formatRef } from '../../model/refs.ts';
import type { Selection } from '../../model/select-files.ts';
import { showText } from '../../model/text.ts';
import type { SaveResult } from '../../ops/save-version.ts';
import { argument, type Command } from '../command.ts';
import { selectionFlags } from '../selection-flags.ts';
import { filesAndBytes } from '../text.ts';
import { versionOf } from '../version-of.ts';

interface Options extends Selection {
  overwrite?: boolean;
}

export const save: Command<SaveResult, Options> = {
  usage: 'save <project/asset[/version]>',
  summary: 'Fetch a version into the cache, verified',
  example: 'gypsum save my-project/my-asset/v1',
  flags: [...selectionFlags, { flags: '--overwrite', description: 'fetch it also if it is in the cache' }],
  async run(call) {
    const { signal, onEvent, options } = call;
    return call.client().saveVersion(await versionOf(call, argument(call.args, 0)), { signal, onEvent, ...options });
  },
  human({ directory, files, bytes, leftOut, fetched, ...ref }) {
    const what = `${formatRef(ref)}${leftOut === undefined ? '' : ' in part'}`;
    const rest = leftOut === undefined ? '' : `; left out ${filesAndBytes(leftOut)}`;
    return [
      `Saved ${what}: ${filesAndBytes({ files, bytes })}${rest}; fetched ${prettyBytes(fetched.bytes)}.`,
      showText(directory),
    ].join('\n');
  },
};
