import { existsSync, lstatSync } from 'node:fs';
import { chmod, cp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Client, ContextOptions } from '../../src/index.ts';
import { cloneBy } from '../../src/ops/clone-version.ts';
import { putFile } from '../../src/tree/put-file.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const FILES = { 'a.csv': 'content of a', 'raw/b.bin': 'large content', 'raw/c.csv': 'content of a', '.d': 'dot' };
const seed = { versions: { 'p/a/v1': FILES } };

interface SiteRig {
  readonly rig: Rig;
  readonly site: string;
  readonly clone: string;
  readonly client: Client;
  /** Another client, which has the site cache below its own. */
  connect(options?: Partial<ContextOptions>): Client;
  /** The path of a file of the version in the site cache, or in the user's own. */
  there(path: string): string;
  own(path: string): string;
}

/** A site cache that has the version, or a part of it, and a client with an empty cache of its own above it. */
async function createSiteRig(include: readonly string[] = [], more = seed): Promise<SiteRig> {
  const rig = await createRig(more);
  const site = join(rig.folder, 'site');
  await rig.connect({ cacheDir: site }).saveVersion(V1, { include });
  rig.registry.resetCalls();
  const connect = (options: Partial<ContextOptions> = {}) => rig.connect({ siteCacheDir: site, ...options });
  return {
    rig,
    site,
    clone: join(rig.folder, 'clone'),
    client: connect(),
    connect,
    there: (path) => join(site, 'bucket/p/a/v1', path),
    own: (path) => join(rig.cacheDir, 'bucket/p/a/v1', path),
  };
}

/** All that a write would change. */
async function look(folder: string): Promise<Record<string, unknown>> {
  const entries: Record<string, unknown> = {};
  for (const name of ['', ...pathsBelow(folder)]) {
    const { mode, size, ino, nlink, mtimeMs, ctimeMs } = lstatSync(join(folder, name));
    entries[name] = { mode, size, ino, nlink, mtimeMs, ctimeMs };
  }
  return entries;
}

async function readReceipt({ cacheDir }: Rig): Promise<Record<string, unknown>> {
  const folder = join(cacheDir, '.gypsum-client/1/clones');
  const [name = ''] = await readdir(folder);
  return JSON.parse(await readFile(join(folder, name), 'utf8'));
}

async function edit(path: string, content: string): Promise<void> {
  await chmod(path, 0o644);
  await writeFile(path, content);
}

describe('a version that the site cache has', () => {
  it('is cloned as links there: nothing is asked for, nothing stored, nothing written there', async () => {
    const { rig, client, clone, site, there } = await createSiteRig();
    const before = await look(site);
    const result = await client.cloneVersion(V1, clone);
    expect(result.saved).toEqual({
      fetched: { contents: 0, bytes: 0 },
      adopted: { contents: 0, bytes: 0 },
      inSite: { files: 4, bytes: 40 },
    });
    expect(await readTree(clone)).toEqual(
      Object.fromEntries(Object.keys(FILES).map((path) => [path, `-> ${there(path)}`])),
    );
    expect(await readFile(join(clone, 'raw/b.bin'), 'utf8')).toBe('large content');
    expect(await readReceipt(rig)).toMatchObject({ ...V1, mode: 'symlink', siteCache: site });
    expect(rig.registry.calls).toEqual([]);
    expect(existsSync(join(rig.cacheDir, '.gypsum-client/1/blobs'))).toBe(false);
    expect(existsSync(join(rig.cacheDir, 'status'))).toBe(false);
    expect(await look(site)).toEqual(before);
  });

  it('is where it is said to be', async () => {
    const { rig, client, site, there, own } = await createSiteRig();
    const before = await look(site);
    expect(await client.saveVersion(V1)).toMatchObject({
      directory: join(site, 'bucket/p/a/v1'),
      files: 4,
      inSite: { files: 4, bytes: 40 },
      fetched: { contents: 0 },
    });
    expect(await client.saveVersion(V1, { include: ['raw'] })).toMatchObject({ files: 2, leftOut: { files: 2 } });
    expect(await client.saveFile({ ...V1, path: 'a.csv' })).toBe(there('a.csv'));
    expect(rig.registry.calls).toEqual([]);
    expect(existsSync(own('a.csv'))).toBe(false);
    expect(await look(site)).toEqual(before);
  });

  it('can be used offline', async () => {
    const { rig, connect, clone } = await createSiteRig(['raw']);
    const client = connect({ offline: true });
    expect((await client.saveVersion(V1, { include: ['raw'] })).inSite?.files).toBe(2);
    await expect(client.cloneVersion(V1, clone)).rejects.toThrow('1 file of p/a/v1 (3 bytes) is not in the cache: .d.');
    expect((await client.cloneVersion(V1, clone, { include: ['raw'] })).leftOut?.files).toBe(2);
    expect(await client.listVersions(V1).catch(({ code }) => code)).toBe('unavailable');
    await expect(client.fetchLatest(V1)).rejects.toMatchObject({ details: { versions: ['v1'] } });
    expect(rig.registry.calls).toEqual([]);
  });

  it.each(['copy', 'hardlink'] as const)('is cloned in the mode "%s" from the user’s own cache', async (mode) => {
    const { rig, client, clone, site } = await createSiteRig();
    const before = await look(site);
    const { saved } = await client.cloneVersion(V1, clone, { mode });
    expect(saved).toEqual({ fetched: { contents: 0, bytes: 0 }, adopted: { contents: 3, bytes: 28 } });
    expect(await readTree(clone)).toEqual(FILES);
    expect(await client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: 4 } });
    expect(rig.registry.calls).toEqual([]);
    expect(await look(site)).toEqual(before);
  });

  it('is cloned from the user’s own cache where symlinks are refused', async () => {
    const { rig, client, clone, site } = await createSiteRig();
    const before = await look(site);
    const refuse = () => {
      throw Object.assign(new Error('no symlinks'), { code: 'EPERM', syscall: 'symlink' });
    };
    const { mode, saved } = await cloneBy({ ...putFile, symlink: refuse }, client.context, V1, clone, {});
    expect(mode).not.toBe('symlink');
    expect(saved?.inSite).toBeUndefined();
    expect(await readTree(clone)).toEqual(FILES);
    expect(await readReceipt(rig)).not.toHaveProperty('siteCache');
    expect(await look(site)).toEqual(before);
  });

  it('is fetched all the same where everything is asked for anew', async () => {
    const { rig, client } = await createSiteRig();
    const { fetched, inSite } = await client.saveVersion(V1, { overwrite: true });
    expect({ fetched: fetched.contents, inSite }).toEqual({ fetched: 3, inSite: undefined });
    expect(rig.registry.count()).toBe(5);
  });
});

describe('a version that the site cache has in part', () => {
  it('is cloned as links to where each content is; the rest alone is fetched', async () => {
    const { rig, client, clone, there, own } = await createSiteRig(['raw']);
    // Equal to a file that the site cache has, but not at that place.
    const { saved } = await client.cloneVersion(V1, clone);
    expect(saved).toEqual({
      fetched: { contents: 1, bytes: 3 },
      adopted: { contents: 1, bytes: 12 },
      inSite: { files: 2, bytes: 25 },
    });
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/.d']);
    expect(await readTree(clone)).toEqual({
      '.d': `-> ${own('.d')}`,
      'a.csv': `-> ${own('a.csv')}`,
      'raw/b.bin': `-> ${there('raw/b.bin')}`,
      'raw/c.csv': `-> ${there('raw/c.csv')}`,
    });
    for (const [path, content] of Object.entries(FILES))
      expect(await readFile(join(clone, path), 'utf8')).toBe(content);
  });

  it('is saved as a whole in the user’s own cache, what is there copied from the other', async () => {
    const { rig, client, own } = await createSiteRig(['raw']);
    const result = await client.saveVersion(V1);
    expect(result).toMatchObject({
      directory: own(''),
      files: 4,
      fetched: { contents: 1, bytes: 3 },
      adopted: { contents: 2, bytes: 25 },
    });
    expect(result.inSite).toBeUndefined();
    expect(await readTree(own(''))).toMatchObject(FILES);
    expect(existsSync(join(rig.cacheDir, 'status/p/a/v1/COMPLETE'))).toBe(true);
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/.d']);
  });

  it('keeps the links of a clone that leads into the user’s own cache already', async () => {
    const { rig, client, clone, own, there } = await createSiteRig();
    await rig.client.cloneVersion(V1, clone);
    await rm(join(clone, 'a.csv'));
    const { links, conflicts } = await client.cloneVersion(V1, clone, { merge: true });
    expect({ links, conflicts }).toEqual({ links: { made: 1, unchanged: 3 }, conflicts: [] });
    expect(await readlink(join(clone, 'a.csv'))).toBe(there('a.csv'));
    expect(await readlink(join(clone, '.d'))).toBe(own('.d'));
  });
});

it('a clone of copies is completed with copies', async () => {
  const { rig, client, clone, site } = await createSiteRig();
  await client.cloneVersion(V1, clone, { mode: 'copy' });
  await client.removeCached([V1]);
  await rm(join(clone, 'a.csv'));
  const before = await look(site);
  expect(await client.cloneVersion(V1, clone, { merge: true })).toMatchObject({ mode: 'copy', links: { made: 1 } });
  expect(await readTree(clone)).toEqual(FILES);
  expect(await readReceipt(rig)).not.toHaveProperty('siteCache');
  expect(await look(site)).toEqual(before);
});

describe('contents of the site cache', () => {
  it('are verified once where nobody has, and that is remembered in the user’s own cache', async () => {
    const { rig, client, site } = await createSiteRig();
    await rm(join(site, '.gypsum-client/1/verified'), { recursive: true });
    const before = await look(site);
    const verified = () =>
      rig.events.filter(({ type, ...event }) => type === 'start' && 'task' in event && event.task === 'verify');
    await client.saveVersion(V1, rig.watch);
    expect(verified()).toEqual([{ type: 'start', task: 'verify', files: 4, bytes: 40 }]);
    await client.saveVersion(V1, rig.watch);
    expect(verified()).toHaveLength(1);
    expect(await look(site)).toEqual(before);
  });

  it('are not read where those who look after it have verified them', async () => {
    const { rig, client } = await createSiteRig();
    await client.saveVersion(V1, rig.watch);
    expect(rig.events).toEqual([]);
  });

  it('are not believed where they are wrong: what is right is fetched, and the wrong left alone', async () => {
    const { rig, client, clone, site, there, own } = await createSiteRig();
    await edit(there('raw/b.bin'), 'LARGE CONTENT');
    const before = await look(site);
    expect((await client.cloneVersion(V1, clone)).saved?.fetched).toEqual({ contents: 1, bytes: 13 });
    expect(await readlink(join(clone, 'raw/b.bin'))).toBe(own('raw/b.bin'));
    expect(await readFile(join(clone, 'raw/b.bin'), 'utf8')).toBe('large content');
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/raw/b.bin']);
    expect(await look(site)).toEqual(before);
    expect(await readFile(there('raw/b.bin'), 'utf8')).toBe('LARGE CONTENT');
  });
});

describe('a site cache', () => {
  it('of another registry is refused', async () => {
    const { connect, site } = await createSiteRig();
    await writeFile(join(site, '.gypsum-client/1/registry.json'), JSON.stringify({ url: 'http://other' }));
    await expect(connect().saveVersion(V1)).rejects.toMatchObject({
      code: 'cache-mismatch',
      message: expect.stringContaining('belongs to the registry http://other'),
    });
  });

  it('of another registry that was at the same address is refused', async () => {
    const { rig, connect, site } = await createSiteRig();
    const mark = { url: rig.registry.url, name: 'another' };
    await writeFile(join(site, '.gypsum-client/1/registry.json'), JSON.stringify(mark));
    await expect(connect().fetchManifest(V2)).rejects.toMatchObject({ code: 'cache-mismatch' });
  });

  it.each<[string, (site: string) => Promise<unknown>]>([
    ['is not there', (site) => rm(site, { recursive: true })],
    ['is a file', async (site) => [await rm(site, { recursive: true }), await writeFile(site, 'x')]],
    ['is a loop', async (site) => [await rm(site, { recursive: true }), await symlink(site, site)]],
    ['has no mark', (site) => rm(join(site, '.gypsum-client/1/registry.json'))],
    ['has a damaged mark', (site) => writeFile(join(site, '.gypsum-client/1/registry.json'), '{"url')],
    ['has lost its files', (site) => rm(join(site, 'bucket'), { recursive: true })],
    [
      'has files where folders should be',
      async (site) => {
        await rm(join(site, 'bucket/p/a'), { recursive: true });
        await writeFile(join(site, 'bucket/p/a'), 'x');
      },
    ],
    [
      'has folders where files should be',
      async (site) => {
        for (const path of Object.keys(FILES)) {
          await rm(join(site, 'bucket/p/a/v1', path));
          await cp(join(site, 'status'), join(site, 'bucket/p/a/v1', path), { recursive: true });
        }
      },
    ],
    [
      'has damaged documents',
      async (site) => {
        for (const name of ['..summary', '..manifest']) {
          await writeFile(join(site, '.gypsum-client/1/versions/p/a/v1', name), '{"cut');
        }
      },
    ],
    [
      'has damaged memories',
      async (site) => {
        const folder = join(site, '.gypsum-client/1/verified/p');
        for (const name of await readdir(folder)) await writeFile(join(folder, name), '{"cut');
      },
    ],
  ])('that %s harms nobody', async (_, damage) => {
    const { client, clone, site } = await createSiteRig();
    await damage(site);
    const before = existsSync(site) && lstatSync(site).isDirectory() ? await look(site) : undefined;
    await client.cloneVersion(V1, clone);
    for (const [path, content] of Object.entries(FILES))
      expect(await readFile(join(clone, path), 'utf8')).toBe(content);
    expect((await client.saveVersion(V1)).files).toBe(4);
    expect(await client.prepareDirectoryUpload(clone)).toMatchObject({ files: [], links: { length: 4 } });
    if (before !== undefined) expect(await look(site)).toEqual(before);
  });

  it.each<[string, (rig: SiteRig) => Promise<Partial<ContextOptions>>]>([
    ['the same folder', async ({ site }) => ({ cacheDir: site })],
    ['a folder in it', async ({ site }) => ({ cacheDir: join(site, 'mine') })],
    [
      'a way to it',
      async ({ rig, site }) => {
        await symlink(site, join(rig.folder, 'way'));
        return { cacheDir: join(rig.folder, 'way') };
      },
    ],
  ])('cannot be above %s', async (_, overlap) => {
    const here = await createSiteRig();
    const options = await overlap(here);
    const before = await look(here.site);
    await expect(here.connect(options).saveVersion(V1)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('lie in each other'),
    });
    expect(await look(here.site)).toEqual(before);
  });

  it('takes no clone in it', async () => {
    const { client, site } = await createSiteRig();
    await expect(client.cloneVersion(V1, join(site, 'clone'))).rejects.toMatchObject({ code: 'destination-refused' });
  });

  it.each(['relative', 'nul\0'])('cannot be %j', async (siteCacheDir) => {
    const { connect } = await createSiteRig();
    expect(() => connect({ siteCacheDir })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

describe('publishing from a clone into the site cache', () => {
  it('makes links of what was not changed, also when the site cache has gone', async () => {
    const { rig, client, clone, site } = await createSiteRig();
    await client.cloneVersion(V1, clone);
    await rm(join(clone, '.d'));
    await writeFile(join(clone, '.d'), 'new');
    const before = await look(site);
    const { sent, linked } = await client.uploadDirectory(V2, clone);
    expect({ sent, linked }).toEqual({ sent: { files: 1, bytes: 3 }, linked: { files: 3, bytes: 37 } });
    expect(await look(site)).toEqual(before);
    await rename(site, `${site}-gone`);
    rig.registry.resetCalls();
    const V3 = { ...V1, version: 'v3' };
    expect(await client.uploadDirectory(V3, clone)).toMatchObject({ sent: { files: 0 }, linked: { files: 4 } });
    expect(rig.registry.count({ key: /v1\/(a|raw|\.d)/ })).toBe(0);
  });

  it('knows contents of versions that the site cache alone knows', async () => {
    const { rig, client } = await createSiteRig();
    const folder = await rig.makeFolder('mine', { moved: 'large content' });
    const plan = await client.planUpload({ project: 'p', asset: 'b', version: 'v1' }, folder);
    expect(plan).toMatchObject({ files: [], links: [{ path: 'moved', link: { ...V1, path: 'raw/b.bin' } }] });
  });

  it('finds what was edited through a link all the same; an edit that is rescued is a file, and the rest as it was', async () => {
    const { client, clone, there } = await createSiteRig();
    await client.cloneVersion(V1, clone);
    await edit(there('raw/b.bin'), 'EDITED CONTENT');
    await expect(client.prepareDirectoryUpload(clone)).rejects.toMatchObject({
      code: 'invalid-tree',
      message: expect.stringMatching(/raw\/b\.bin was edited through its link(.|\n)*gypsum fetch raw\/b\.bin/),
    });
    const why = expect.stringMatching(/gypsum fetch raw\/b\.bin, in the folder$/);
    const put = await client.putTree({ project: 'p', asset: 'b' }, clone);
    expect(put.changes).toContainEqual({ sign: 'E', path: 'clone/raw/b.bin', type: 'file', why });
    expect((await client.uploadDirectory(V2, clone, { rescue: true })).sent).toEqual({ files: 1, bytes: 14 });
    expect(await readTree(clone)).toMatchObject({ 'raw/b.bin': 'EDITED CONTENT', 'a.csv': `-> ${there('a.csv')}` });
    expect(await readFile(there('raw/b.bin'), 'utf8')).toBe('EDITED CONTENT');
  });
});

describe('links of a clone', () => {
  it('are led to the site cache by fetching what was left out, and it is not fetched', async () => {
    const { rig, client, clone, there, own } = await createSiteRig(['raw']);
    await client.cloneVersion(V1, clone, { download: false });
    expect(await readlink(join(clone, 'raw/b.bin'))).toBe(own('raw/b.bin'));
    rig.registry.resetCalls();
    const result = await client.fetchFiles([clone]);
    expect(result).toEqual({
      files: 4,
      bytes: 40,
      inSite: { files: 2, bytes: 25 },
      fetched: { contents: 1, bytes: 3 },
      adopted: { contents: 1, bytes: 12 },
    });
    expect(await readlink(join(clone, 'raw/b.bin'))).toBe(there('raw/b.bin'));
    expect(await readlink(join(clone, '.d'))).toBe(own('.d'));
    for (const [path, content] of Object.entries(FILES))
      expect(await readFile(join(clone, path), 'utf8')).toBe(content);
    expect(rig.registry.calls.map(({ key }) => key)).toEqual(['p/a/v1/.d']);
  });

  it('are led to the user’s own cache by fetching what the site cache has lost, or has wrong', async () => {
    const { client, clone, there, own } = await createSiteRig();
    await client.cloneVersion(V1, clone);
    await rm(there('raw/b.bin'));
    await edit(there('.d'), 'DOT');
    expect(await client.fetchFiles([clone])).toMatchObject({ files: 4, inSite: { files: 2 } });
    expect(await readTree(clone)).toEqual({
      '.d': `-> ${own('.d')}`,
      'a.csv': `-> ${there('a.csv')}`,
      'raw/b.bin': `-> ${own('raw/b.bin')}`,
      'raw/c.csv': `-> ${there('raw/c.csv')}`,
    });
    expect(await readFile(join(clone, '.d'), 'utf8')).toBe('dot');
  });

  it('into the site cache are not dropped: it is not ours', async () => {
    const { rig, client, clone, site, own } = await createSiteRig();
    await client.cloneVersion(V1, clone);
    await rig.client.saveVersion(V1);
    const before = await look(site);
    expect(await client.dropFiles([clone], { force: true })).toEqual({ files: 0, bytes: 0, freed: 0 });
    expect(await look(site)).toEqual(before);
    expect(existsSync(own('a.csv'))).toBe(true);
  });

  it('are mended where the site cache was moved or has lost something', async () => {
    const { rig, client, clone, site, own } = await createSiteRig();
    await client.cloneVersion(V1, clone);
    await rename(site, `${site}-moved`);
    const moved = rig.connect({ siteCacheDir: `${site}-moved` });
    expect((await moved.relinkClone(clone)).links).toHaveLength(4);
    expect(await readlink(join(clone, 'a.csv'))).toBe(join(`${site}-moved`, 'bucket/p/a/v1/a.csv'));
    expect(await readReceipt(rig)).toMatchObject({ siteCache: `${site}-moved` });
    await rm(join(`${site}-moved`, 'bucket/p/a/v1/.d'));
    expect((await moved.relinkClone(clone)).links).toMatchObject([{ path: '.d', target: own('.d') }]);
    await rm(`${site}-moved`, { recursive: true });
    expect((await moved.relinkClone(clone)).links).toHaveLength(3);
    expect(await readReceipt(rig)).not.toHaveProperty('siteCache');
    await moved.fetchFiles([clone]);
    for (const [path, content] of Object.entries(FILES))
      expect(await readFile(join(clone, path), 'utf8')).toBe(content);
  });

  it('into the site cache keep nothing from being pruned, and break by no pruning', async () => {
    const { client, clone } = await createSiteRig(['raw']);
    await client.cloneVersion(V1, clone);
    await client.pruneCache({ unused: true });
    for (const [path, content] of Object.entries(FILES))
      expect(await readFile(join(clone, path), 'utf8')).toBe(content);
    await rm(clone, { recursive: true });
    await client.pruneCache({ unused: true, forgetMissing: true });
    expect(await client.listCache()).toEqual([]);
  });
});
