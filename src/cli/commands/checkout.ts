import { GypsumError } from '../../errors.ts';
import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import type { ChangeResult } from '../../ops/apply-change-plan.ts';
import type { ChangePlan } from '../../ops/change-plan.ts';
import { applyPlanFile, type PlanFlags, planFlags } from '../change-plans.ts';
import { showChangePlan, showLeft, showMeans } from '../change-text.ts';
import type { Command } from '../command.ts';
import { count } from '../text.ts';
import { versionOf } from '../version-of.ts';

interface Options extends PlanFlags {
  download?: boolean;
}

export const checkout: Command<ChangeResult | ChangePlan, Options> = {
  usage: 'checkout [project/asset[/version]] [folder]',
  summary: 'Have a clone go over to another version, in place; what was edited stays',
  example: 'gypsum checkout my-project/my-asset/v2 my-clone',
  flags: [{ flags: '--no-download', description: 'do not fetch any file: new links dangle' }, ...planFlags],
  async run(call) {
    const { args, client, options, signal, onEvent } = call;
    const { plan, dryRun = false, download = true } = options;
    if (plan !== undefined) return applyPlanFile(call, plan, 'checkout');
    const [ref, folder = '.'] = args;
    if (ref === undefined) {
      throw new GypsumError('invalid-argument', 'There is no version to go over to.', {
        hint: 'Give one, or a plan: gypsum checkout --help',
      });
    }
    const version = await versionOf(call, ref);
    const what = { download, signal, onEvent };
    return dryRun ? client().planCheckout(version, folder, what) : client().checkoutVersion(version, folder, what);
  },
  exitCode: ({ left }) => (left.some(({ conflict }) => conflict) ? 1 : 0),
  human(result) {
    if ('steps' in result) return showChangePlan(result);
    const { directory, made, replaced, removed, unchanged, left, project, asset, version } = result;
    const changes = `${made} made, ${replaced} changed, ${removed} removed, ${unchanged} unchanged`;
    const conflicts = left.filter(({ conflict }) => conflict).length;
    return [
      ...left.map(showLeft),
      `${showText(directory)} is a clone of ${formatRef({ project, asset, version })} now: ${changes}.`,
      ...(conflicts > 0
        ? [`${count(conflicts, 'conflict')}: the version has something else there than what was edited.`]
        : []),
      ...showMeans(result),
    ].join('\n');
  },
};
