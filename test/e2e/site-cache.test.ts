import { execFileSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCli } from '../helpers/cli.ts';
import { pathsBelow } from '../helpers/entries-below.ts';
import { withoutPrivileges } from '../helpers/privileges.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const FILES = { 'a.csv': 'content of a', 'raw/b.bin': 'large content' };

/** Whoever looks after the site cache; where tests do not run as root, it is their own user. */
const CARETAKER = process.getuid?.() === 0 ? 4242 : undefined;

/** A site cache that is somebody else's, as far as that can be had, and of which nothing may be written. */
async function createSite() {
  const rig = await createRig({ versions: { 'p/a/v1': FILES } });
  const site = join(rig.folder, 'site');
  await rig.connect({ cacheDir: site }).saveVersion({ project: 'p', asset: 'a', version: 'v1' });
  rig.registry.resetCalls();
  if (CARETAKER !== undefined) execFileSync('chown', ['-R', String(CARETAKER), site]);
  execFileSync('chmod', ['-R', 'a+rX,a-w', site]);
  onTestFinished(() => void execFileSync('chmod', ['-R', 'u+rwX', site]));
  const environment = { GYPSUM_URL: rig.registry.url, GYPSUM_CACHE_DIR: rig.cacheDir, GYPSUM_SITE_CACHE: site };
  const run = (...argv: string[]) => startCli(argv, environment, { prefix: withoutPrivileges ?? [] }).end();
  return { rig, site, run };
}

async function look(folder: string): Promise<Record<string, unknown>> {
  const entries: Record<string, unknown> = {};
  for (const name of ['', ...pathsBelow(folder)]) {
    const { mode, size, ino, nlink, mtimeMs, ctimeMs } = lstatSync(join(folder, name));
    entries[name] = { mode, size, ino, nlink, mtimeMs, ctimeMs };
  }
  return entries;
}

describe.runIf(withoutPrivileges !== undefined)('a site cache that is read-only', () => {
  it('is cloned from, prepared from and named, and nothing of it is touched', async () => {
    const { rig, site, run } = await createSite();
    const before = await look(site);
    const clone = join(rig.folder, 'clone');
    expect(await run('clone', 'p/a/v1', clone)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`In the site cache: 2 files, 25 B.`),
    });
    expect(await readlink(join(clone, 'a.csv'))).toBe(join(site, 'bucket/p/a/v1/a.csv'));
    expect((await run('prepare', clone)).stdout).toContain('0 files to send (0 B), 2 to link (25 B)');
    expect((await run('path', 'p/a/v1')).stdout).toBe(`${join(site, 'bucket/p/a/v1')}\n`);
    expect((await run('path', 'p/a/v1:/a.csv')).stdout).toBe(`${join(site, 'bucket/p/a/v1/a.csv')}\n`);
    expect((await run('cache', 'path')).stdout).toBe(`${rig.cacheDir}\n`);
    expect((await run('cache', 'path', '--site')).stdout).toBe(`${site}\n`);
    expect((await run('clone', 'p/a/v1', join(rig.folder, 'hard'), '--mode', 'hardlink')).code).toBe(0);
    expect(await readTree(join(rig.folder, 'hard'))).toEqual(FILES);
    expect(rig.registry.calls).toEqual([]);
    expect(await look(site)).toEqual(before);
  });

  it('and cannot be read any more harms nobody', async () => {
    const { rig, site, run } = await createSite();
    const before = join(rig.folder, 'before');
    expect((await run('clone', 'p/a/v1', before)).code).toBe(0);
    execFileSync('chmod', ['0', site]);
    expect((await run('prepare', before)).stdout).toContain('0 files to send (0 B), 2 to link (25 B)');
    expect((await run('fetch', join(before, 'a.csv'), join(before, 'raw'))).code).toBe(0);
    expect(await readlink(join(before, 'raw/b.bin'))).toBe(join(rig.cacheDir, 'bucket/p/a/v1/raw/b.bin'));
    rig.registry.resetCalls();
    expect(await run('clone', 'p/a/v1', join(rig.folder, 'clone'))).toMatchObject({ code: 0, stderr: '' });
    expect(await readlink(join(rig.folder, 'clone/a.csv'))).toBe(join(rig.cacheDir, 'bucket/p/a/v1/a.csv'));
    expect(rig.registry.count()).toBe(0);
  });

  it('and in which a folder or a file cannot be read is used as far as it can be', async () => {
    const { rig, site, run } = await createSite();
    execFileSync('chmod', ['0', join(site, 'bucket/p/a/v1/raw'), join(site, '.gypsum-client/1/verified/p')]);
    const clone = join(rig.folder, 'clone');
    expect(await run('clone', 'p/a/v1', clone)).toMatchObject({ code: 0 });
    expect(await readlink(join(clone, 'a.csv'))).toBe(join(site, 'bucket/p/a/v1/a.csv'));
    expect(await readlink(join(clone, 'raw/b.bin'))).toBe(join(rig.cacheDir, 'bucket/p/a/v1/raw/b.bin'));
  });
});
