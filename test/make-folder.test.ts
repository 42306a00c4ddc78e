import fs, { existsSync } from 'node:fs';
import { symlink, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { makeFolder } from '../src/make-folder.ts';
import { startCli } from './helpers/cli.ts';
import { createRig } from './helpers/rig.ts';
import { tempFolder } from './helpers/temp-folder.ts';

describe('makeFolder', () => {
  it('makes what is missing, and takes what is there', async () => {
    const root = await tempFolder();
    makeFolder(join(root, 'a/b/c'));
    makeFolder(join(root, 'a/b/c'));
    await symlink('a', join(root, 'link'));
    makeFolder(join(root, 'link/b'));
  });

  it('goes on where another process makes the folder above it meanwhile', async () => {
    const root = await tempFolder();
    const path = join(root, 'a/b/c');
    const { mkdirSync } = fs;
    const spy = vi.spyOn(fs, 'mkdirSync').mockImplementation(((...args: Parameters<typeof mkdirSync>) => {
      try {
        return mkdirSync(...args);
      } catch (error) {
        if (args[0] === path) mkdirSync(join(root, 'a/b'), { recursive: true });
        throw error;
      }
    }) as typeof mkdirSync);
    onTestFinished(() => {
      spy.mockRestore();
      syncBuiltinESMExports();
    });
    syncBuiltinESMExports();

    makeFolder(path);
    expect(existsSync(path)).toBe(true);
  });

  it('throws what the system says of what is no folder', async () => {
    const root = await tempFolder();
    await writeFile(join(root, 'file'), '');
    await symlink('nothing', join(root, 'dangling'));
    expect(() => makeFolder(join(root, 'file'))).toThrow('EEXIST');
    expect(() => makeFolder(join(root, 'file/below'))).toThrow('ENOTDIR');
    expect(() => makeFolder(join(root, 'dangling'))).toThrow('EEXIST');
  });

  it.skipIf(process.platform !== 'linux')('ends where a folder takes no new names', () => {
    for (const path of ['/proc/x', '/proc/x/y']) {
      expect(() => makeFolder(path)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
  });
});

describe.skipIf(process.platform !== 'linux')('a folder that takes no new names is refused by', () => {
  it.each([
    ['serve', ['serve', '--port', '0', '--data', '/proc/x']],
    ['a cache', ['save', 'p/a/v1', '--cache', '/proc/x']],
    ['a clone', ['clone', 'p/a/v1', '/proc/x/clone']],
    ['the settings', ['config', 'set', 'concurrency', '3']],
  ])('%s', async (_what, argv) => {
    const { registry, cacheDir } = await createRig({ versions: { 'p/a/v1': { 'a.txt': 'a' } } });
    const environment = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir, GYPSUM_CONFIG_DIR: '/proc/x' };
    const { code, stderr } = await startCli(argv, environment).end();
    expect(stderr).toContain('cannot be made');
    expect(code).toBe(2);
  });
});
