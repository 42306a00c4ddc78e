import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { createRig } from '../helpers/rig.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Runs a command line, and gives which packages it loaded and which files of ours, by their names. */
async function loadedBy(argv: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const folder = await tempFolder();
  const { code, stderr } = await startCli(argv, { ...environment, NODE_V8_COVERAGE: folder }).end();
  expect([code, stderr]).toEqual([0, '']);
  const urls = readdirSync(folder)
    .flatMap((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).result)
    .map(({ url }: { url: string }) => url)
    .filter((url) => url.startsWith('file:'));
  const packages = urls.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  const own = urls.filter((url) => !url.includes('/node_modules/')).map((url) => basename(url, '.js'));
  return { packages: [...new Set(packages)].sort(), own };
}

it('the version is told by nothing but the version', async () => {
  expect(await loadedBy(['--version'])).toEqual({ packages: [], own: ['main', 'version'] });
});

it('help of a command loads nothing of what it does', async () => {
  const { packages, own } = await loadedBy(['clone', '--help']);
  expect(packages).toEqual(['commander', 'pretty-bytes']);
  expect(own).not.toContain('client');
  expect(own).not.toContain('spare-memory');
});

it('what is in the cache is listed without all that makes requests, and no other operation is loaded', async () => {
  const { registry, cacheDir, client } = await createRig({ versions: { 'p/a/v': { 'sub/file': 'content' } } });
  await client.readTree({ project: 'p', asset: 'a', version: 'v' });
  const { packages, own } = await loadedBy(['ls', 'p/a/v'], { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir });
  expect(packages).not.toContain('undici');
  expect(own).toContain('read-tree');
  expect(own).not.toContain('clone-version');
});

it('a local folder is listed without what versions are read and fetched with', async () => {
  const folder = await tempFolder();
  const { packages, own } = await loadedBy(['ls', folder], { GYPSUM_CACHE_DIR: join(folder, 'cache') });
  expect(packages).not.toContain('picomatch');
  expect(own).not.toContain('save-contents');
});
