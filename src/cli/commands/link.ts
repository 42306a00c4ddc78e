import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import { applyLinking } from '../../ops/apply-linking.ts';
import { checkLinkPlan } from '../../ops/check-link-plan.ts';
import { countStates } from '../../ops/count-states.ts';
import { linkFolders, linkStatus } from '../../ops/link-folders.ts';
import {
  LINK_STATES,
  type LinkPlan,
  type LinkResult,
  type LinkState,
  type LinkStatus,
  type LinkType,
} from '../../ops/link-plan.ts';
import { type LinkOptions, planLinking } from '../../ops/plan-linking.ts';
import type { Command } from '../command.ts';
import { showFiles, sumUp } from '../link-text.ts';
import { readPlanFile } from '../read-plan-file.ts';
import { count } from '../text.ts';

interface Options {
  relative?: boolean;
  absolute?: boolean;
  protect?: boolean;
  unprotect?: boolean;
  createDst?: boolean;
  relink?: boolean;
  failFast?: boolean;
  status?: boolean;
  dryRun?: boolean;
  plan?: string;
}

/** Nothing has to be said of files that are as they are to be. */
const FINE: readonly LinkState[] = ['linked', 'already-linked'];

export const link: Command<LinkResult | LinkStatus | LinkPlan, Options> = {
  usage: 'link [source-folder] [folder]',
  summary:
    'Have files of a folder become symlinks to equal files of another folder; "gypsum stage" makes files of them again',
  example: 'gypsum link originals copies',
  local: true,
  flags: [
    { flags: '--relative', description: 'links name files as seen from where they stand, as new ones do by default' },
    { flags: '--absolute', description: 'links name files by their whole paths' },
    {
      flags: '--protect',
      description: 'make the files that are linked to read-only, so that nobody writes through links',
    },
    { flags: '--unprotect', description: 'let the owner write to the files that are linked to again' },
    { flags: '--create-dst', description: 'make what the second folder does not have: itself, folders, and links' },
    { flags: '--relink', description: 'put links in the place of broken links, too' },
    { flags: '--fail-fast', description: 'stop at the first file that cannot be linked' },
    { flags: '--status', description: 'show what each file is to that of the other folder, and do nothing' },
    { flags: '--dry-run', description: 'show what would be linked, and do nothing' },
    { flags: '--plan <file>', description: 'do what "--dry-run --json" has written to a file, and nothing else' },
  ],
  async run({ args, options, signal, onEvent }) {
    const { failFast = false, plan } = options;
    const call = { failFast, signal, onEvent };
    if (plan !== undefined) {
      checkAlone(args, options);
      const made = 'gypsum link SOURCE-FOLDER FOLDER --dry-run --json';
      return applyLinking(await readPlanFile(plan, made, checkLinkPlan), call);
    }
    const [source, folder] = args;
    if (source === undefined || folder === undefined) {
      throw new GypsumError('invalid-argument', 'There are not two folders.', {
        hint: 'Give both, or a plan: gypsum link --help',
      });
    }
    const act = options.status ? linkStatus : options.dryRun ? planLinking : linkFolders;
    return act(source, folder, { ...call, ...linkOptions(options) });
  },
  check(result) {
    const failed = countsOf(result).failed + ('unprotected' in result ? result.unprotected.length : 0);
    // It has the exit code of failures that have none of their own.
    if (failed > 0) throw new Error(`${count(failed, 'file')} failed.`);
  },
  human(result) {
    if ('steps' in result) return showPlan(result);
    const { files, counts } = result;
    if (!('folders' in result)) return [...showFiles(files), sumUp(counts)].join('\n');
    const { folders, unprotected, stopped } = result;
    return [
      ...folders.map((path) => `made  ${showText(path === '' ? result.destination : `${path}/`)}`),
      ...showFiles(files.filter(({ state }) => !FINE.includes(state))),
      ...unprotected.map(({ path, message }) => `not protected  ${showText(path)}  (${showText(message)})`),
      `${sumUp(counts)}${stopped ? '; stopped there' : ''}`,
    ].join('\n');
  },
};

function linkOptions({ relative, absolute, protect, unprotect, createDst, relink }: Options): LinkOptions {
  if (relative && absolute) throw contrary('--relative', '--absolute');
  if (protect && unprotect) throw contrary('--protect', '--unprotect');
  const linkType: LinkType | undefined = relative ? 'relative' : absolute ? 'absolute' : undefined;
  return {
    linkType,
    createDst: createDst === true,
    relink: relink === true,
    protect: protect ? true : unprotect ? false : undefined,
  };
}

function countsOf(result: LinkResult | LinkStatus | LinkPlan): LinkResult['counts'] {
  return 'counts' in result ? result.counts : countStates(LINK_STATES, result.files);
}

function showPlan({ steps, files, stopped }: LinkPlan): string {
  const planned = new Set(steps.map(({ path }) => path));
  const rest = files.filter(({ path, state }) => !planned.has(path) && !FINE.includes(state));
  const links = steps.filter(({ after }) => after?.type === 'symlink').length;
  return [
    ...steps.map(showStep),
    ...showFiles(rest),
    stopped ? 'Nothing would be linked: it would stop there.' : `${count(links, 'file')} to link`,
  ].join('\n');
}

function showStep({ path, after }: LinkPlan['steps'][number]): string {
  if (after === undefined) return `remove  ${showText(path)}  (left by a killed run)`;
  return after.type === 'symlink' ? `link  ${showText(path)} -> ${showText(after.target)}` : `make  ${showText(path)}/`;
}

/** Throws `invalid-argument` if anything is asked for that a plan has settled already. */
function checkAlone(args: readonly string[], { plan, failFast, ...settled }: Options): void {
  if (args.length === 0 && Object.keys(settled).length === 0) return;
  throw new GypsumError('invalid-argument', 'A plan says already which files are linked, and how.', {
    hint: 'Give nothing beside "--plan" but "--fail-fast".',
  });
}

function contrary(one: string, other: string): GypsumError {
  return new GypsumError('invalid-argument', `${one} and ${other} say the opposite.`, {
    hint: 'Leave out one of them.',
  });
}
