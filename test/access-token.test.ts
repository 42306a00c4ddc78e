import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { accessToken, configFromEnvironment, createClient, setAccessToken } from '../src/index.ts';
import { createRig } from './helpers/rig.ts';

afterEach(() => vi.unstubAllEnvs());

/** A user with a configuration folder of their own, at the registry of a rig. */
async function userOf(environment: NodeJS.ProcessEnv = {}) {
  const rig = await createRig();
  const folder = join(rig.folder, 'config');
  const stubs = { GYPSUM_CONFIG_DIR: folder, GYPSUM_URL: rig.registry.url, GYPSUM_TOKEN: '', ...environment };
  for (const [name, value] of Object.entries(stubs)) vi.stubEnv(name, value);
  return { ...rig, config: folder };
}

describe('setAccessToken', () => {
  it('keeps a token as the login at the registry, and says whose it is; accessToken finds it', async () => {
    const { registry } = await userOf();
    expect(accessToken()).toBeUndefined();
    const token = await registry.addUser('alice');
    expect(await setAccessToken(token)).toEqual({ id: 'alice', admin: false });
    expect(accessToken()).toBe(token);
    expect(accessToken({ url: 'http://127.0.0.1:1' })).toBeUndefined();
    expect(configFromEnvironment().token).toBe(token);
    expect(await setAccessToken(undefined)).toBeUndefined();
    expect(accessToken()).toBeUndefined();
  });

  it('keeps nothing of a token that nobody knows, unless it is not to ask', async () => {
    const { registry } = await userOf();
    await setAccessToken(registry.token);
    await expect(setAccessToken('wrong')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(accessToken()).toBe(registry.token);
    expect(await setAccessToken('wrong', { verify: false })).toBeUndefined();
    expect(accessToken()).toBe('wrong');
  });

  it.each(['', 'two words', 'line\n'])('refuses what can be no token (%j)', async (token) => {
    await userOf();
    await expect(setAccessToken(token, { verify: false })).rejects.toMatchObject({ code: 'invalid-argument' });
    expect(accessToken()).toBeUndefined();
  });

  it('stands behind GYPSUM_TOKEN and what is given', async () => {
    const { registry } = await userOf({ GYPSUM_TOKEN: 'set' });
    await setAccessToken(registry.token);
    expect(accessToken()).toBe('set');
    expect(accessToken({ token: 'given' })).toBe('given');
  });

  it('does nothing once its signal is aborted', async () => {
    const { registry, folder } = await userOf();
    const signal = AbortSignal.abort('enough');
    await expect(setAccessToken(registry.token, { signal })).rejects.toBe('enough');
    expect(readdirSync(folder)).toEqual([]);
  });
});

it('a client knows nothing of the environment and of logins', async () => {
  const { registry, cacheDir } = await userOf();
  await setAccessToken(registry.token);
  vi.stubEnv('GYPSUM_TOKEN', registry.token);
  const client = createClient({ url: registry.url, cacheDir });
  await expect(client.whoAmI()).rejects.toMatchObject({ code: 'unauthorized' });
  await client.close();
  expect(() => createClient({})).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
