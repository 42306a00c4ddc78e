import { resolve } from 'node:path';
import { checkKey, removeChoice, type SettingKey, writeChoice } from '../../config/config-file.ts';
import { listSettings, type Setting, userFiles } from '../../config.ts';
import { GypsumError } from '../../errors.ts';
import { showText } from '../../model/text.ts';
import { argument, type Command } from '../command.ts';

interface SetResult {
  readonly key: string;
  readonly value: string | number | boolean;
  readonly file: string;
}

interface UnsetResult {
  readonly key: string;
  /** Whether it stood in the file. */
  readonly removed: boolean;
  readonly file: string;
}

export const configList: Command<Setting[]> = {
  usage: 'list',
  summary: 'List the settings and where each comes from',
  example: 'gypsum config list',
  run: async ({ flags }) => listSettings(flags),
  human(settings) {
    const width = Math.max(...settings.map(({ value }) => showText(String(value)).length));
    return settings
      .map((setting) => `${setting.key.padEnd(13)}${showText(String(setting.value)).padEnd(width)}  ${origin(setting)}`)
      .join('\n');
  },
};

export const configGet: Command<string | number | boolean> = {
  usage: 'get <key>',
  summary: 'Print the value of a setting, wherever it comes from',
  example: 'gypsum config get registry',
  async run({ args, flags }) {
    const key = checkKey(argument(args, 0));
    const setting = listSettings(flags).find((one) => one.key === key);
    if (setting === undefined) throw new Error(`no value of ${key}`);
    return setting.value;
  },
  human: (value) => showText(String(value)),
};

export const configSet: Command<SetResult> = {
  usage: 'set <key> [value]',
  summary: 'Settle a setting in the config file',
  example: 'gypsum config set registry http://127.0.0.1:8080',
  async run({ args }) {
    const key = checkKey(argument(args, 0));
    const text = args[1];
    if (text === undefined || text === '') {
      throw new GypsumError('invalid-argument', `No value is given for "${key}".`, {
        hint: `Give one: "gypsum config set ${key} VALUE"; or go back to the default with "gypsum config unset ${key}".`,
        details: { key },
      });
    }
    const value = READ[key](text);
    const { config } = userFiles();
    writeChoice(config, key, value);
    return { key, value, file: config.path };
  },
  human: ({ key, value, file }) => `Set ${key} to ${showText(String(value))} in ${showText(file)}.`,
};

export const configUnset: Command<UnsetResult> = {
  usage: 'unset <key>',
  summary: 'Remove a setting from the config file',
  example: 'gypsum config unset registry',
  async run({ args }) {
    const key = argument(args, 0);
    const { config } = userFiles();
    return { key, removed: removeChoice(config, key), file: config.path };
  },
  human: ({ key, removed, file }) =>
    removed
      ? `Removed ${showText(key)} from ${showText(file)}.`
      : `There was no ${showText(key)} in ${showText(file)}.`,
};

/** How the text of a value is read; a relative path means the folder that it was typed in. */
const READ: Readonly<Record<SettingKey, (text: string) => string | number | boolean>> = {
  registry: (text) => text,
  cache: (text) => resolve(text),
  concurrency: (text) => (text.trim() === '' ? Number.NaN : Number(text)),
  ca: (text) => resolve(text),
  siteCache: (text) => resolve(text),
  // What is neither is refused as it is.
  offline: (text) => (text === 'true' || text === 'false' ? text === 'true' : text),
};

function origin({ from, name }: Setting): string {
  switch (from) {
    case 'flag':
      return `flag ${name}`;
    case 'environment':
      return `environment variable ${name}`;
    case 'file':
      return `file ${showText(name ?? '')}`;
    case 'default':
      return 'default';
  }
}
