import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { GypsumError } from '../errors.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { showText } from '../model/text.ts';
import { readUserFile, type UserFile, unusable, writeUserFile } from './user-file.ts';

const absolutePath = z
  .string()
  .refine((path) => isAbsolute(path) && !path.includes('\0') && path.isWellFormed(), 'must be an absolute path');

/** What each key of the file holds; the message is the end of a sentence that says what it must be. */
const schema = z.strictObject({
  registry: z
    .string()
    .refine(isRegistryUrl, 'must be an http or https URL without a user, a query or a fragment')
    .optional(),
  cache: absolutePath.optional(),
  concurrency: z.int().min(1).max(256).optional(),
  ca: absolutePath.optional(),
  siteCache: absolutePath.optional(),
  offline: z.boolean().optional(),
});

/** What a user has settled on, by key. */
export type Choices = Readonly<z.infer<typeof schema>>;

export type SettingKey = keyof Choices;

/** The keys, and what each must be where the schema's own words would not help. */
const MUST_BE: Readonly<Record<SettingKey, string>> = {
  registry: 'must be the URL of a registry',
  cache: 'must be an absolute path',
  concurrency: 'must be a whole number from 1 to 256',
  ca: 'must be an absolute path',
  siteCache: 'must be an absolute path',
  offline: 'must be true or false',
};

export const SETTING_KEYS = Object.keys(MUST_BE) as readonly SettingKey[];

/**
 * The config file in a folder.
 *
 * Shape:  { "registry"?: URL, "cache"?: absolute path, "concurrency"?: number, "ca"?: absolute path,
 *           "siteCache"?: absolute path, "offline"?: boolean }
 */
export function configFile(folder: string): UserFile {
  return { path: join(folder, 'config.json'), what: 'The config file', secret: false };
}

/** Gives what a config file settles; throws `invalid-argument` naming the file, the key and what to do. */
export function readChoices(file: UserFile): Choices {
  return checkChoices(file, readObject(file));
}

/** Settles one key; what the others say is kept. Throws `invalid-argument` for a value that the key cannot have. */
export function writeChoice(file: UserFile, key: SettingKey, value: string | number | boolean): void {
  checkChoices(undefined, { [key]: value });
  const choices = checkChoices(file, { ...readObject(file), [key]: value });
  writeUserFile(file, `${JSON.stringify(choices, null, 2)}\n`);
}

/** Removes a key, also one that has no meaning; says whether it was there. */
export function removeChoice(file: UserFile, key: string): boolean {
  const choices = readObject(file);
  if (!Object.hasOwn(choices, key)) return false;
  const { [key]: _removed, ...rest } = choices;
  writeUserFile(file, `${JSON.stringify(rest, null, 2)}\n`);
  return true;
}

/** Returns the name of a setting, or throws `invalid-argument`. */
export function checkKey(key: string): SettingKey {
  const known = SETTING_KEYS.find((one) => one === key);
  if (known !== undefined) return known;
  throw new GypsumError('invalid-argument', `There is no setting "${showText(key)}".`, {
    hint: `The settings are ${SETTING_KEYS.join(', ')}.`,
    details: { key },
  });
}

function readObject(file: UserFile): Record<string, unknown> {
  const text = readUserFile(file);
  if (text === undefined) return {};
  const parsed = z.record(z.string(), z.unknown()).safeParse(parseJsonIfAny(text));
  if (parsed.success) return parsed.data;
  throw unusable(file, 'is not a JSON object', 'Mend it, or remove it to go back to the defaults.');
}

/** Without a file, the value has just been given. */
function checkChoices(file: UserFile | undefined, value: unknown): Choices {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === 'unrecognized_keys' && file !== undefined) {
    const key = showText(issue.keys[0] ?? '');
    throw unusable(
      file,
      `has a key "${key}", which is no setting`,
      `The settings are ${SETTING_KEYS.join(', ')}. Remove it with "gypsum config unset ${key}".`,
    );
  }
  const key = checkKey(String(issue?.path[0]));
  const why = issue?.code === 'custom' ? issue.message : MUST_BE[key];
  if (file === undefined) {
    throw new GypsumError('invalid-argument', `The setting "${key}" ${why}.`, {
      hint: `See what it is now with "gypsum config get ${key}".`,
      details: { key },
    });
  }
  throw unusable(
    file,
    `says of "${key}" what cannot be: it ${why}`,
    `Set it with "gypsum config set ${key} VALUE", or remove it with "gypsum config unset ${key}".`,
  );
}

function isRegistryUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.href === url.origin + url.pathname;
}
