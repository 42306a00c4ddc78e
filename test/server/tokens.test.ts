import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addToken, listTokens, openRegistry, readTokens, revokeTokens } from '../../src/server/index.ts';
import { temporaryFolder } from './rig.ts';

async function whoIs(registry: { fetch(request: Request): Promise<Response> }, token: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await registry.fetch(new Request('http://registry.test/whoami', { headers }));
  return answer.status === 200 ? answer.json() : answer.status;
}

/** The folder of a registry that has been opened once. */
async function registryFolder(): Promise<string> {
  const data = await temporaryFolder();
  await (await openRegistry({ data })).close();
  return data;
}

describe('tokens', () => {
  it('count and cease to count from the next request on, while the registry is open', async () => {
    const data = await temporaryFolder();
    const registry = await openRegistry({ data });
    onTestFinished(() => registry.close());
    const { token, id } = await addToken(data, 'alice');
    const other = await addToken(data, 'alice', { admin: true });
    expect(await whoIs(registry, token)).toEqual({ id: 'alice', admin: false });
    expect(await whoIs(registry, other.token)).toEqual({ id: 'alice', admin: true });
    expect(await revokeTokens(data, id)).toMatchObject([{ id, name: 'alice' }]);
    expect(await whoIs(registry, token)).toBe(401);
    expect(await whoIs(registry, other.token)).toEqual({ id: 'alice', admin: true });
    await revokeTokens(data, 'alice');
    expect(await whoIs(registry, other.token)).toBe(401);
    expect(await whoIs(registry, registry.adminToken ?? '')).toEqual({ id: 'admin', admin: true });
  });

  it('end when they expire', async () => {
    const data = await temporaryFolder();
    const registry = await openRegistry({ data });
    onTestFinished(() => registry.close());
    const expiresAt = new Date(Date.now() + 300);
    const { token } = await addToken(data, 'alice', { expiresAt });
    expect(await whoIs(registry, token)).toMatchObject({ id: 'alice' });
    await expect.poll(() => whoIs(registry, token)).toBe(401);
    expect(await listTokens(data)).toMatchObject([{ name: 'admin' }, { name: 'alice', expiresAt }]);
  });

  it('are kept as hashes, for the owner of the folder alone', async () => {
    const data = await registryFolder();
    const { token } = await addToken(data, 'alice');
    const file = join(data, 'tokens.json');
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain(token);
    expect(text).not.toContain(token.replace('gypsum_', ''));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.skipIf(process.getuid?.() !== 0)('can be read by the user of the service though root makes them', async () => {
    const data = await registryFolder();
    await chown(data, 12_345, 12_345);
    await addToken(data, 'alice');
    expect(await stat(join(data, 'tokens.json'))).toMatchObject({ uid: 12_345, gid: 12_345 });
  });

  it('are all there when many are made at once', async () => {
    const data = await registryFolder();
    const names = Array.from({ length: 8 }, (_, at) => `user-${at}`);
    await Promise.all(names.map((name) => addToken(data, name)));
    expect((await listTokens(data)).map(({ name }) => name).sort()).toEqual(['admin', ...names]);
  });

  it('are not lost to a registry that is opened for the first time meanwhile', async () => {
    const data = await temporaryFolder();
    const lock = join(data, 'tokens.json.lock');
    await mkdir(lock);
    const opening = openRegistry({ data });
    onTestFinished(async () => (await opening).close());
    await expect.poll(() => readdir(data)).toContain('lock');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await readdir(data)).not.toContain('tokens.json');
    await rm(lock, { recursive: true });
    expect((await opening).adminToken).toBeDefined();
  });

  it('are made though a process that made one was killed just now', { timeout: 20_000 }, async () => {
    const data = await registryFolder();
    await mkdir(join(data, 'tokens.json.lock'));
    await addToken(data, 'alice');
    expect(await listTokens(data)).toMatchObject([{ name: 'admin' }, { name: 'alice' }]);
  });

  it('are told apart by what says nothing of their hashes', async () => {
    const data = await registryFolder();
    await addToken(data, 'alice');
    const hashes = (await readTokens(join(data, 'tokens.json'))).map(({ sha256 }) => sha256);
    const ids = (await listTokens(data)).map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(hashes.join(' ')).not.toContain(id);
  });

  it('of the administrator have no copy left when they are revoked', async () => {
    const data = await registryFolder();
    const second = await addToken(data, 'admin', { admin: true });
    await revokeTokens(data, second.id);
    await stat(join(data, 'admin-token'));
    await revokeTokens(data, 'admin');
    await expect(stat(join(data, 'admin-token'))).rejects.toThrow(/ENOENT/);
  });

  it('do not spoil the file with an end that cannot be read again', async () => {
    const data = await registryFolder();
    const expiresAt = new Date(Date.UTC(10_000, 0));
    await expect(addToken(data, 'alice', { expiresAt })).rejects.toThrow();
    expect(await listTokens(data)).toMatchObject([{ name: 'admin' }]);
  });

  it.each(['gypsum_secret', '[{"name":"gypsum_secret"}]'])('of a damaged file (%s) are not shown', async (text) => {
    const data = await registryFolder();
    const file = join(data, 'tokens.json');
    await writeFile(file, text);
    for (const call of [() => listTokens(data), () => addToken(data, 'alice'), () => revokeTokens(data, 'alice')]) {
      const error = await call().catch(String);
      expect(error).toContain(`The token file ${file} is damaged.`);
      expect(error).not.toContain('gypsum_secret');
    }
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('are neither made nor looked for where there is no registry', async () => {
    const data = await temporaryFolder();
    await writeFile(join(data, 'notes'), 'mine');
    for (const call of [() => listTokens(data), () => addToken(data, 'x'), () => revokeTokens(data, 'x')]) {
      await expect(call()).rejects.toMatchObject({ code: 'not-found', hint: expect.stringContaining('gypsum serve') });
    }
    expect(await readdir(data)).toEqual(['notes']);
  });

  it.each(['', 'a\nb', 'a,b', ' a', 'a\u00a0', 'x'.repeat(257)])(
    'are made for names only: %j is none',
    async (name) => {
      await expect(addToken(await registryFolder(), name)).rejects.toMatchObject({ code: 'invalid-argument' });
    },
  );

  it('of a torn file let nobody in', async () => {
    const data = await temporaryFolder();
    const failures: unknown[] = [];
    const registry = await openRegistry({ data, onError: (error) => failures.push(error) });
    onTestFinished(() => registry.close());
    await writeFile(join(data, 'tokens.json'), '[{"name":');
    await chmod(join(data, 'tokens.json'), 0o600);
    expect(await whoIs(registry, registry.adminToken ?? '')).toBe(500);
    expect(failures).toHaveLength(1);
  });
});
