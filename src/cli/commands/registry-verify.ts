import { resolve } from 'node:path';
import prettyBytes from 'pretty-bytes';
import { defaultDataDir } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { formatRef } from '../../model/refs.ts';
import { showText } from '../../model/text.ts';
import { type Problem, type Verified, verifyFolder } from '../../server/index.ts';
import type { Command } from '../command.ts';
import { dataFlag } from '../data-flag.ts';
import { count } from '../text.ts';

export interface VerifyResult extends Verified {
  readonly data: string;
  readonly problems: readonly Problem[];
}

export const registryVerify: Command<VerifyResult, { data?: string }> = {
  usage: 'verify',
  summary: 'Compare every object of a registry on this machine with its manifest; it may be running',
  local: true,
  example: 'gypsum registry verify --data my-registry',
  flags: [dataFlag],
  async run({ options, signal, print, json, onEvent }) {
    const data = resolve(options.data ?? defaultDataDir());
    const problems: Problem[] = [];
    let versions = 0;
    const verified = await verifyFolder(data, {
      signal,
      onVersion(of) {
        versions++;
        onEvent({ type: 'start', task: 'verify', ...of });
      },
      onFile: (bytes) => onEvent({ type: 'progress', task: 'verify', files: 1, bytes }),
      onProblem(problem) {
        problems.push(problem);
        if (!json) print(`${problem.fault}  ${showText(problem.key)} ${showText(problem.message)}`);
      },
    });
    for (; versions > 0; versions--) onEvent({ type: 'end', task: 'verify' });
    return { data, ...verified, problems };
  },
  check({ data, problems }) {
    if (problems.length === 0) return;
    throw new GypsumError('wrong-content', `${count(problems.length, 'problem')} found in ${data}.`, {
      hint: 'Bring files back from a backup; "gypsum refresh latest" and "gypsum refresh usage" mend what follows from the versions.',
      details: { data },
    });
  },
  human: ({ versions, files, bytes, unfinished, problems }) =>
    [
      ...unfinished.map((ref) => `unfinished  ${formatRef(ref)}`),
      `${count(versions, 'version')} with ${count(files, 'file')} (${prettyBytes(bytes)}), ${count(problems.length, 'problem')}`,
    ].join('\n'),
};
