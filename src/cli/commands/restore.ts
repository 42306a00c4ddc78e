import type { ChangeResult } from '../../ops/apply-change-plan.ts';
import type { ChangePlan } from '../../ops/change-plan.ts';
import { linkFolders } from '../../ops/link-folders.ts';
import type { LinkPlan, LinkResult } from '../../ops/link-plan.ts';
import { planLinking } from '../../ops/plan-linking.ts';
import { applyPlanFile, meantBy, type PathFlags, type PlanFlags, pathFlags, planFlags } from '../change-plans.ts';
import { showChangePlan, showLeft, showMeans } from '../change-text.ts';
import type { Command } from '../command.ts';
import { fromFlag, linkedFolder } from '../linked-folder.ts';
import { count } from '../text.ts';
import { link } from './link.ts';

interface Options extends PlanFlags, PathFlags {
  force?: boolean;
  download?: boolean;
  from?: string;
}

export const restore: Command<ChangeResult | ChangePlan | LinkResult | LinkPlan, Options> = {
  usage: 'restore [path...]',
  summary: 'Have files of a clone be links again: copies that are as in the version, and links that lead elsewhere',
  example: 'gypsum restore my-clone/table.csv',
  flags: [
    ...pathFlags,
    {
      flags: '--force',
      description:
        'also what was modified, replaced, deleted or edited through its link; what it was is kept until "gypsum cache prune"',
    },
    { flags: '--no-download', description: 'do not fetch what links lead to that dangle' },
    fromFlag('in a folder that is no clone: files that are equal to those of this folder, as "gypsum link" does'),
    ...planFlags,
  ],
  async run(call) {
    const { args, client, options, signal, onEvent } = call;
    const { plan, dryRun = false, from, force = false, download = true } = options;
    if (plan !== undefined) return applyPlanFile(call, plan, 'restore');
    if (from !== undefined) {
      return (dryRun ? planLinking : linkFolders)(from, linkedFolder(args, options), { signal, onEvent });
    }
    const { paths, selection } = meantBy(args, options);
    const what = { ...selection, force, download, signal, onEvent };
    return dryRun ? client().planRestore(paths, what) : client().restoreFiles(paths, what);
  },
  check(result, call) {
    if ('files' in result) link.check?.(result, call);
  },
  human(result, call) {
    if ('files' in result) return link.human(result, call);
    if ('steps' in result) return showChangePlan(result);
    const { replaced, made, unchanged, left } = result;
    const hints = [
      ...(!call.options.force && left.some(({ state }) => FORCED.includes(state)) ? [HINT] : []),
      ...(left.some(({ state }) => state === 'edited') ? [HINT_FOR_EDITED] : []),
    ];
    return [
      ...left.map(showLeft),
      `Restored ${count(replaced + made, 'file')}; ${unchanged.toLocaleString('en')} unchanged.`,
      ...hints,
      ...showMeans(result),
    ].join('\n');
  },
};

/** What is restored if that is forced. */
const FORCED: readonly string[] = ['modified', 'deleted', 'foreign', 'edited'];
const HINT = 'To restore these too: --force. What they are is kept until the cache is pruned.';

const HINT_FOR_EDITED = 'To keep an edit through a link as a file: gypsum stage --rescue FILE.';
