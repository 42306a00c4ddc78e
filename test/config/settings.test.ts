import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkKey, readChoices, removeChoice, writeChoice } from '../../src/config/config-file.ts';
import { writeUserFile } from '../../src/config/user-file.ts';
import { configFromEnvironment, listSettings, PUBLIC_REGISTRY, userFiles } from '../../src/config.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'invalid-argument', message: expect.stringMatching(message) });

async function environment(content?: string): Promise<{ GYPSUM_CONFIG_DIR: string }> {
  const folder = join(await tempFolder(), 'config');
  if (content !== undefined) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'config.json'), content);
  }
  return { GYPSUM_CONFIG_DIR: folder };
}

const values = (settings: Parameters<typeof listSettings>[0], env: NodeJS.ProcessEnv) =>
  listSettings(settings, env).map(({ key, value, from, name }) => [key, value, from, name]);

describe('a setting', () => {
  it('comes from the flag, else the environment, else the config file, else it is the default', async () => {
    const env = await environment('{ "registry": "http://file", "cache": "/file", "concurrency": 3 }');
    const file = join(env.GYPSUM_CONFIG_DIR, 'config.json');
    const set = { ...env, GYPSUM_URL: 'http://set', GYPSUM_CACHE_DIR: '/set' };
    expect(values({ url: 'http://flag', cacheDir: '/flag' }, set)).toEqual([
      ['registry', 'http://flag', 'flag', '--registry'],
      ['cache', '/flag', 'flag', '--cache'],
      ['concurrency', 3, 'file', file],
      ['ca', '', 'default', undefined],
      ['siteCache', '', 'default', undefined],
      ['offline', false, 'default', undefined],
    ]);
    expect(values({}, set).slice(0, 2)).toEqual([
      ['registry', 'http://set', 'environment', 'GYPSUM_URL'],
      ['cache', '/set', 'environment', 'GYPSUM_CACHE_DIR'],
    ]);
    expect(values({}, env).slice(0, 2)).toEqual([
      ['registry', 'http://file', 'file', file],
      ['cache', '/file', 'file', file],
    ]);
    expect(values({}, await environment())).toEqual([
      ['registry', PUBLIC_REGISTRY, 'default', undefined],
      ['cache', expect.stringContaining('gypsum'), 'default', undefined],
      ['concurrency', 16, 'default', undefined],
      ['ca', '', 'default', undefined],
      ['siteCache', '', 'default', undefined],
      ['offline', false, 'default', undefined],
    ]);
  });

  it.each([
    ['1', true],
    ['TRUE', true],
    ['0', false],
  ])('that is on or off may be %s in the environment', async (text, offline) => {
    const env = await environment('{ "offline": true }');
    expect(configFromEnvironment({}, env)).toMatchObject({ offline: true });
    expect(configFromEnvironment({}, { ...env, GYPSUM_OFFLINE: text })).toMatchObject({ offline });
    expect(configFromEnvironment({ offline: true }, { ...env, GYPSUM_OFFLINE: text })).toMatchObject({ offline: true });
    expect(() => configFromEnvironment({}, { ...env, GYPSUM_OFFLINE: 'perhaps' })).toThrow(refused(/GYPSUM_OFFLINE/));
  });

  it('that is a site cache comes from the same places', async () => {
    const env = await environment('{ "siteCache": "/file" }');
    expect(configFromEnvironment({}, env).siteCacheDir).toBe('/file');
    expect(configFromEnvironment({}, { ...env, GYPSUM_SITE_CACHE: '/set' }).siteCacheDir).toBe('/set');
    expect(configFromEnvironment({ siteCacheDir: '/flag' }, { ...env, GYPSUM_SITE_CACHE: '/set' }).siteCacheDir).toBe(
      '/flag',
    );
    expect(configFromEnvironment({}, await environment())).not.toHaveProperty('siteCacheDir');
  });

  it('of the config file is what a client is made with', async () => {
    const env = await environment('{ "registry": "http://file", "cache": "/file", "concurrency": 3 }');
    expect(configFromEnvironment({}, env)).toMatchObject({ url: 'http://file', cacheDir: '/file', concurrency: 3 });
    expect(configFromEnvironment({ concurrency: 5 }, env).concurrency).toBe(5);
  });

  it('is looked for in the folder that XDG names, unless GYPSUM_CONFIG_DIR names another', async () => {
    const env = await environment();
    expect(userFiles(env).config.path).toBe(join(env.GYPSUM_CONFIG_DIR, 'config.json'));
    expect(userFiles(env).logins.path).toBe(join(env.GYPSUM_CONFIG_DIR, 'tokens.json'));
    expect(userFiles({}).config.path).toMatch(/gypsum.*config\.json$/);
  });
});

describe('a config file', () => {
  it.each<[string, string, RegExp, RegExp]>([
    ['an unknown key', '{"regstry": "x"}', /config\.json has a key "regstry"/, /"gypsum config unset regstry"/],
    ['another type', '{"cache": 3}', /says of "cache" .* must be an absolute path/, /"gypsum config set cache VALUE"/],
    ['a relative cache', '{"cache": "x"}', /must be an absolute path/, /unset cache/],
    ['a registry that is none', '{"registry": "ftp://x"}', /"registry" .* must be an http or https URL/, /unset/],
    ['a registry with a password', '{"registry": "http://a:b@x"}', /must be an http or https URL/, /unset/],
    ['a number out of range', '{"concurrency": 0}', /must be a whole number from 1 to 256/, /unset concurrency/],
    ['neither true nor false', '{"offline": "yes"}', /"offline" .* must be true or false/, /unset offline/],
    ['what is not JSON', '{"registry"', /config\.json is not a JSON object/, /remove it/],
    ['a list', '[]', /is not a JSON object/, /remove it/],
    ['nothing', '', /is not a JSON object/, /remove it/],
    ['too much', ' '.repeat(65_537), /has 65537 bytes, more than 65536/, /GYPSUM_CONFIG_DIR/],
  ])('with %s is refused with its name, the key and a remedy', async (_name, content, message, hint) => {
    const env = await environment(content);
    expect(() => configFromEnvironment({}, env)).toThrow(refused(message));
    expect(() => configFromEnvironment({}, env)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(hint) }),
    );
    expect(() => configFromEnvironment({}, env)).toThrow(env.GYPSUM_CONFIG_DIR);
  });

  it.each<[string, (path: string) => void, RegExp]>([
    ['a folder', (path) => mkdirSync(path), /is not a file/],
    ['a symlink that leads to itself', (path) => symlinkSync(path, path), /cannot be read: .*\(ELOOP\)/],
    ['a device', (path) => symlinkSync('/dev/zero', path), /is not a file/],
  ])('that is %s is refused', async (_name, make, message) => {
    const env = await environment('{}');
    const path = join(env.GYPSUM_CONFIG_DIR, 'other');
    make(path);
    expect(() => readChoices({ path, what: 'The config file', secret: false })).toThrow(refused(message));
  });

  it('is not there, with its folder, or below a file: then nothing is settled', async () => {
    const env = await environment('{}');
    const path = join(env.GYPSUM_CONFIG_DIR, 'config.json/config.json');
    expect(readChoices({ path, what: 'The config file', secret: false })).toEqual({});
    expect(readChoices(userFiles(await environment()).config)).toEqual({});
  });

  it('is made with its folder, for its owner alone, and keeps what the other keys say', async () => {
    const env = await environment();
    const { config } = userFiles(env);
    writeChoice(config, 'registry', 'http://x');
    writeChoice(config, 'concurrency', 4);
    expect(JSON.parse(readFileSync(config.path, 'utf8'))).toEqual({ registry: 'http://x', concurrency: 4 });
    expect(statSync(config.path).mode & 0o777).toBe(0o600);
    expect(statSync(env.GYPSUM_CONFIG_DIR).mode & 0o777).toBe(0o700);
    expect(removeChoice(config, 'registry')).toBe(true);
    expect(removeChoice(config, 'registry')).toBe(false);
    expect(readChoices(config)).toEqual({ concurrency: 4 });
    expect(readdirSync(env.GYPSUM_CONFIG_DIR)).toEqual(['config.json']);
  });

  it('takes no value that the key cannot have, and stays as it was', async () => {
    const env = await environment('{"concurrency": 4}');
    const { config } = userFiles(env);
    for (const value of [0, 257, 1.5, Number.NaN]) {
      expect(() => writeChoice(config, 'concurrency', value)).toThrow(refused(/"concurrency" must be a whole number/));
    }
    expect(() => writeChoice(config, 'registry', 'x')).toThrow(refused(/"registry" must be an http/));
    expect(readFileSync(config.path, 'utf8')).toBe('{"concurrency": 4}');
    expect(() => checkKey('regstry')).toThrow(refused(/no setting "regstry"/));
  });

  it('with one wrong key is mended by setting or removing it', async () => {
    const { config } = userFiles(await environment('{"concurrency": "many", "odd": 1, "__proto__": 2}'));
    expect(() => writeChoice(config, 'concurrency', 4)).toThrow(refused(/has a key "(odd|__proto__)"/));
    expect(removeChoice(config, 'odd')).toBe(true);
    expect(removeChoice(config, 'toString')).toBe(false);
    removeChoice(config, '__proto__');
    writeChoice(config, 'concurrency', 4);
    expect(readChoices(config)).toEqual({ concurrency: 4 });
  });

  it('that is a link to a file elsewhere stays one', async () => {
    const env = await environment('{}');
    const { config } = userFiles(env);
    const elsewhere = join(env.GYPSUM_CONFIG_DIR, 'kept.json');
    writeFileSync(elsewhere, '{}');
    const link = join(env.GYPSUM_CONFIG_DIR, 'link.json');
    symlinkSync(elsewhere, link);
    writeChoice({ ...config, path: link }, 'concurrency', 4);
    expect(readFileSync(elsewhere, 'utf8')).toContain('4');
    expect(readFileSync(link, 'utf8')).toContain('4');
  });

  it('leaves nothing beside it when it cannot get its name', async () => {
    const folder = await tempFolder();
    mkdirSync(join(folder, 'taken'));
    const { config } = userFiles({ GYPSUM_CONFIG_DIR: folder });
    expect(() => writeUserFile({ ...config, path: join(folder, 'taken') }, '{}')).toThrow(refused(/\(EISDIR\)/));
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  it('cannot be written where a file stands in place of its folder, and nothing is left', async () => {
    const folder = await tempFolder();
    writeFileSync(join(folder, 'file'), '');
    const { config } = userFiles({ GYPSUM_CONFIG_DIR: join(folder, 'file') });
    expect(() => writeChoice(config, 'concurrency', 4)).toThrow(refused(/cannot be written: .*\((EEXIST|ENOTDIR)\)/));
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
