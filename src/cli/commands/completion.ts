import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';
import { SHELLS, scripts } from '../completion-scripts.ts';

export const completion: Command<string> = {
  usage: 'completion <shell>',
  summary: 'Print a script that completes commands and refs in bash, zsh or fish',
  example: 'gypsum completion bash > gypsum.bash && source gypsum.bash',
  async run({ args }) {
    const name = argument(args, 0);
    const shell = SHELLS.find((one) => one === name);
    if (shell !== undefined) return scripts[shell].trimEnd();
    throw new GypsumError('invalid-argument', `There is no completion for "${showText(name)}".`, {
      hint: `The shells are ${SHELLS.join(', ')}.`,
      details: { shell: name },
    });
  },
  human: (script) => script,
};
