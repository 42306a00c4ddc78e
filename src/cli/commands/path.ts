import { parseFileRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';
import { versionOf } from '../version-of.ts';

export const path: Command<string> = {
  usage: 'path <project/asset[/version][:/path]>',
  summary: 'Print where a file or a version is in the cache, fetched if need be',
  example: 'gypsum path my-project/my-asset/v1:/table.csv',
  async run(call) {
    const text = argument(call.args, 0);
    if (!text.includes(':/')) return (await call.client().saveVersion(await versionOf(call, text), call)).directory;
    const { path: file, ...ref } = parseFileRef(text);
    return call.client().saveFile({ ...(await versionOf(call, ref)), path: file }, call);
  },
  human: showText,
};
