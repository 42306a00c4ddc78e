import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createClient } from '../../src/index.ts';
import { addToken, listen, openRegistry } from '../../src/server/index.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('a private registry is read by whoever has a token, and by nobody else', async () => {
  const folder = await tempFolder();
  const data = join(folder, 'data');
  const registry = await openRegistry({ data, isPrivate: true });
  const headers: (string | null)[] = [];
  const listener = await listen(async (request) => {
    if (request.method === 'GET') headers.push(request.headers.get('authorization'));
    return registry.fetch(request);
  });
  const connect = (name: string, token?: string) => {
    const cacheDir = join(folder, name);
    const client = createClient({ url: listener.url, cacheDir, retryDelay: 1, ...(token !== undefined && { token }) });
    onTestFinished(() => client.close());
    return client;
  };
  onTestFinished(async () => {
    await listener.close();
    await registry.close();
  });

  const admin = connect('admin', registry.adminToken);
  await admin.createProject('p');
  const ref = { project: 'p', asset: 'a', version: 'v1' };
  await admin.uploadContents(ref, [{ path: 'x.txt', content: 'hello' }]);

  const stranger = connect('stranger');
  for (const call of [
    () => stranger.listProjects(),
    () => stranger.saveVersion(ref),
    () => stranger.fetchManifest(ref),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'unauthorized', hint: expect.stringContaining('GYPSUM_TOKEN') });
  }
  const wrong = connect('wrong', 'gypsum_wrong');
  await expect(wrong.listProjects()).rejects.toMatchObject({ code: 'unauthorized' });

  const { token } = await addToken(data, 'reader');
  const reader = connect('reader', token);
  headers.length = 0;
  await reader.saveVersion(ref);
  const clone = join(folder, 'clone');
  await reader.cloneVersion(ref, clone);
  expect(await readFile(join(clone, 'x.txt'), 'utf8')).toBe('hello');
  expect(await reader.listProjects()).toEqual(['p']);
  // It is asked for once; from then on every request has it.
  expect(headers[0]).toBe(null);
  expect(headers.filter((header) => header === null).length).toBeLessThanOrEqual(2);
  expect(headers.at(-1)).toBe(`Bearer ${token}`);
});
