import { showText } from '../../model/text.ts';
import type { User } from '../../ops/who-am-i.ts';
import type { Command } from '../command.ts';

export const whoami: Command<User> = {
  usage: 'whoami',
  summary: 'Show whose token is used at the registry',
  example: 'gypsum whoami',
  run: ({ client, signal, onEvent }) => client().whoAmI({ signal, onEvent }),
  human: ({ id, admin }) => (admin === true ? `${showText(id)} (administrator)` : showText(id)),
};
