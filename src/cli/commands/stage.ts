import prettyBytes from 'pretty-bytes';
import { GypsumError } from '../../errors.ts';
import type { ChangeResult } from '../../ops/apply-change-plan.ts';
import type { ChangePlan } from '../../ops/change-plan.ts';
import { stageFolder } from '../../ops/stage-folder.ts';
import type { StagedFolder } from '../../ops/staged-folder.ts';
import { applyPlanFile, meantBy, type PathFlags, type PlanFlags, pathFlags, planFlags } from '../change-plans.ts';
import { showChangePlan, showLeft, showMeans } from '../change-text.ts';
import type { Command } from '../command.ts';
import { fromFlag, linkedFolder, linkedPart, showStagedFolder } from '../linked-folder.ts';
import { checkStaged, type StageFlags, stageFlags } from '../stage-messages.ts';
import { count } from '../text.ts';

interface Options extends PlanFlags, PathFlags, Pick<StageFlags, 'dirs' | 'mode' | 'strict'> {
  rescue?: boolean;
  from?: string;
}

export const stage: Command<ChangeResult | ChangePlan | (StagedFolder & { readonly dryRun: boolean }), Options> = {
  usage: 'stage [path...]',
  summary: 'Make writable files of links in a clone, to be edited: links, folders with links, or quoted globs',
  example: 'gypsum stage my-clone/table.csv',
  flags: [
    ...pathFlags,
    { flags: '--rescue', description: 'make files of links that were edited through, and mend the cache' },
    fromFlag('in a folder that is no clone: links that lead into this folder'),
    ...stageFlags.map((flag) => ({ ...flag, description: `with "--from": ${flag.description}` })),
    ...planFlags,
  ],
  async run(call) {
    const { args, client, options, signal, onEvent } = call;
    const { plan, dryRun = false, from, rescue = false, dirs = false, mode } = options;
    if (plan !== undefined) return applyPlanFile(call, plan, 'stage');
    if (from !== undefined) {
      const { folder, only } = linkedPart(linkedFolder(args, options, LINK_FLAGS));
      const how = { source: from, only, folders: dirs, mode, dryRun, signal, onEvent };
      return { ...(await stageFolder(folder, how)), dryRun };
    }
    if (LINK_FLAGS.some((name) => name in options)) throw forLinkedFolders();
    const { paths, selection } = meantBy(args, options);
    const what = { ...selection, signal, onEvent };
    return dryRun ? client().planStage(paths, what) : client().stageFiles(paths, { ...what, rescue });
  },
  check(result, { options }) {
    if ('links' in result) checkStaged(result, options);
  },
  human(result) {
    if ('steps' in result) return showChangePlan(result);
    if ('links' in result) return showStagedFolder(result, result.dryRun);
    const { replaced, bytes, unchanged, left } = result;
    const others = unchanged > 0 ? `; ${count(unchanged, 'file')} already` : '';
    return [
      ...left.map(showLeft),
      `Staged ${count(replaced, 'link')} (${prettyBytes(bytes)})${others}.`,
      ...showMeans(result),
    ].join('\n');
  },
};

/** The flags that go with "--from" alone. */
const LINK_FLAGS = ['dirs', 'mode', 'strict'] as const;

function forLinkedFolders(): GypsumError {
  return new GypsumError('invalid-argument', '"--dirs", "--mode" and "--strict" are for folders that are no clones.', {
    hint: 'Say which folder links must lead into, with "--from", or leave them out.',
  });
}
