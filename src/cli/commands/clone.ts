import { CLONE_MODES, type CloneMode } from '../../model/clone-mode.ts';
import type { Count } from '../../model/count.ts';
import { formatRef } from '../../model/refs.ts';
import type { Selection } from '../../model/select-files.ts';
import { showText } from '../../model/text.ts';
import type { CloneResult } from '../../ops/clone-version.ts';
import { argument, type Command } from '../command.ts';
import { selectionFlags } from '../selection-flags.ts';
import { count, filesAndBytes } from '../text.ts';
import { versionOf } from '../version-of.ts';

interface Options extends Selection {
  mode?: CloneMode | 'auto';
  download?: boolean;
  merge?: boolean;
}

/** What stands for each file. */
const MADE: Readonly<Record<CloneMode, string>> = {
  symlink: 'link',
  hardlink: 'hard link',
  reflink: 'reflink',
  copy: 'copy',
};

export const clone: Command<CloneResult, Options> = {
  usage: 'clone <project/asset[/version]> <destination>',
  summary: 'Make a folder of one version’s files: links into the cache, or files where those are refused or not wanted',
  example: 'gypsum clone my-project/my-asset/v1 my-folder',
  flags: [
    {
      flags: '--mode <mode>',
      description: 'how the files stand in the folder; "auto" is symlinks, or where they are refused what works',
      choices: ['auto', ...CLONE_MODES],
    },
    ...selectionFlags,
    { flags: '--no-download', description: 'do not fetch any file: links dangle, which is enough to publish from' },
    { flags: '--merge', description: 'clone into a folder that is not empty; what is there stays' },
  ],
  async run(call) {
    const { args, client, options, signal, onEvent } = call;
    const ref = await versionOf(call, argument(args, 0));
    return client().cloneVersion(ref, argument(args, 1), { ...options, signal, onEvent });
  },
  human({
    destination,
    mode,
    files,
    bytes,
    symlinks = 0,
    leftOut,
    dangling,
    links,
    conflicts,
    astray,
    saved,
    project,
    asset,
    version,
  }) {
    const ref = formatRef({ project, asset, version });
    const how = mode === 'symlink' ? '' : `, each a ${MADE[mode]}`;
    const own = symlinks > 0 ? `; ${count(symlinks, 'symlink')} of its own` : '';
    const lines = [`Cloned ${ref} to ${showText(destination)}: ${filesAndBytes({ files, bytes })}${how}${own}.`];
    if (links.unchanged > 0 || conflicts.length > 0) {
      lines.push(
        `${count(links.made, MADE[mode])} made, ${links.unchanged} there already, ${conflicts.length} in the way.`,
      );
    }
    if (mode === 'hardlink') lines.push('They are the cached files: replace one to change it, do not write to it.');
    if (saved?.inSite !== undefined) lines.push(`In the site cache: ${filesAndBytes(saved.inSite)}.`);
    const what = saved === undefined ? 'No file was fetched' : leftOut && `Left out: ${filesAndBytes(leftOut)}`;
    if (what !== undefined) lines.push(`${what}; ${danglingText(leftOut?.files ?? files, dangling, destination)}`);
    if (conflicts.length > 0) {
      lines.push('These were in the way and have been kept as they are:');
      lines.push(...conflicts.map((path) => `  ${showText(path)}`));
    }
    if (astray !== undefined) {
      lines.push(
        `Links into a cache that is not there: ${astray.length}. If it was moved: gypsum relink ${showText(destination)}`,
      );
    }
    return lines.join('\n');
  },
};

function danglingText(files: number, dangling: Count | undefined, destination: string): string {
  if (dangling === undefined) return 'the cache has all of it.';
  const which =
    dangling.files === files
      ? 'the links dangle'
      : `${count(dangling.files, 'link')} of ${files.toLocaleString('en')} dangle`;
  return `${which} until "gypsum fetch ${showText(destination)}" brings what they lead to.`;
}
