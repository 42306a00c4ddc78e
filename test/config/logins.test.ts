import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { removeLogin, writeLogin } from '../../src/config/logins.ts';
import { configFromEnvironment, userFiles } from '../../src/config.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const HERE = 'http://127.0.0.1:8080';

async function newUser() {
  const env = { GYPSUM_CONFIG_DIR: join(await tempFolder(), 'config') };
  const { logins } = userFiles(env);
  const tokenAt = (url: string, more = {}) => configFromEnvironment({ url }, { ...env, ...more }).token;
  return { folder: env.GYPSUM_CONFIG_DIR, logins, tokenAt };
}

describe('a login', () => {
  it('gives the token of its own origin, wherever below that the registry is, and of no other', async () => {
    const { logins, tokenAt } = await newUser();
    writeLogin(logins, `${HERE}/sub/`, 'secret');
    expect(tokenAt(HERE)).toBe('secret');
    expect(tokenAt(`${HERE}/other`)).toBe('secret');
    const others = [
      'https://127.0.0.1:8080',
      'http://127.0.0.1:8081',
      'http://127.0.0.1',
      'http://localhost:8080',
      'x',
    ];
    for (const other of [...others, `${HERE}.example.org`, 'http://127.0.0.1:8080@example.org']) {
      expect(tokenAt(other)).toBeUndefined();
    }
  });

  it('stands behind GYPSUM_TOKEN and what is given', async () => {
    const { logins, tokenAt } = await newUser();
    writeLogin(logins, HERE, 'secret');
    expect(tokenAt(HERE, { GYPSUM_TOKEN: 'set' })).toBe('set');
    expect(tokenAt(HERE, { GYPSUM_TOKEN: '' })).toBe('secret');
  });

  it('is kept for its owner alone, beside those at other registries, until it is removed', async () => {
    const { folder, logins, tokenAt } = await newUser();
    writeLogin(logins, HERE, 'one');
    writeLogin(logins, 'https://example.org', 'two');
    writeLogin(logins, HERE, 'three');
    expect(statSync(logins.path).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['tokens.json']);
    expect(removeLogin(logins, 'https://example.org/x')).toBe(true);
    expect(removeLogin(logins, 'https://example.org')).toBe(false);
    expect(tokenAt('https://example.org')).toBeUndefined();
    expect(tokenAt(HERE)).toBe('three');
  });

  it.skipIf(process.platform === 'win32').each([0o644, 0o640, 0o606])(
    'is refused from a file that others can read (%o), with what to do',
    async (mode) => {
      const { logins, tokenAt } = await newUser();
      writeLogin(logins, HERE, 'secret');
      chmodSync(logins.path, mode);
      const error = expect.objectContaining({
        code: 'invalid-argument',
        message: expect.stringMatching(/tokens\.json can be read by others/),
        hint: expect.stringContaining(`chmod 600 ${logins.path}`),
      });
      expect(() => tokenAt(HERE)).toThrow(error);
      expect(() => writeLogin(logins, HERE, 'other')).toThrow(error);
      chmodSync(logins.path, 0o600);
      expect(tokenAt(HERE)).toBe('secret');
    },
  );

  it.each([
    ['JSON cut short', '{"http://127.0.0.1:8080":{"token":"secr'],
    ['text', 'secret'],
    ['a token in another shape', '{"http://127.0.0.1:8080":"secret"}'],
    ['another type', '{"http://127.0.0.1:8080":{"token":["secret"]}}'],
  ])('that is damaged (%s) is an error which does not quote it, whole', async (_name, content) => {
    const { folder, logins, tokenAt } = await newUser();
    mkdirSync(folder);
    writeFileSync(logins.path, content, { mode: 0o600 });
    let caught: unknown;
    try {
      tokenAt(HERE);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'invalid-argument', message: expect.stringContaining('is damaged') });
    expect(inspect(caught, { depth: 10, showHidden: true })).not.toContain('secr');
    expect(readFileSync(logins.path, 'utf8')).toBe(content);
  });

  it('that could not be written leaves the earlier ones', async () => {
    const { folder, logins, tokenAt } = await newUser();
    writeLogin(logins, HERE, 'secret');
    mkdirSync(join(folder, 'full'));
    const inTheWay = { ...logins, path: join(folder, 'full') };
    expect(() => writeLogin(inTheWay, HERE, 'other')).toThrow(/is not a file/);
    expect(tokenAt(HERE)).toBe('secret');
    expect(readdirSync(folder).sort()).toEqual(['full', 'tokens.json']);
  });
});
