import { formatRef, parseVersionRef, type VersionRef } from '../../model/refs.ts';
import type { VersionSummary } from '../../model/summary.ts';
import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';

export const versionApprove: Command<VersionRef> = {
  usage: 'approve <project/asset/version>',
  summary: 'Make a version official that is on probation (owners only)',
  example: 'gypsum version approve my-project/my-asset/v2',
  async run({ args, client, signal, onEvent }) {
    const ref = parseVersionRef(argument(args, 0));
    await client().approveProbation(ref, { signal, onEvent });
    return ref;
  },
  human: (ref) => `Approved ${formatRef(ref)}.`,
};

export const versionSummary: Command<VersionSummary & VersionRef> = {
  usage: 'summary <project/asset/version>',
  summary: 'Show who uploaded a version, when, and whether it is official',
  example: 'gypsum version summary my-project/my-asset/v1',
  async run({ args, client, signal, onEvent }) {
    const ref = parseVersionRef(argument(args, 0));
    return { ...ref, ...(await client().fetchSummary(ref, { signal, onEvent })) };
  },
  human(summary) {
    const { uploadUserId, uploadStart, uploadFinish, onProbation } = summary;
    const finish = uploadFinish === undefined ? 'not finished' : `finished ${uploadFinish.toISOString()}`;
    const state = onProbation ? 'on probation' : uploadFinish === undefined ? 'in progress' : 'official';
    return `${formatRef(summary)} by ${showText(uploadUserId)}, begun ${uploadStart.toISOString()}, ${finish}, ${state}`;
  },
};
