import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishDocument, publishOnce } from '../../src/cache/atomic.ts';
import { isShared, makeCacheFolder, makeRoot } from '../../src/cache/folders.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

async function makeCache(shared: boolean) {
  const layout = createLayout(join(await tempFolder(), 'cache'));
  makeRoot(layout, shared);
  return layout;
}

/** Gives the modes from a path up to the folder of its cache. */
function modesUpTo(root: string, path: string): string[] {
  return path === root ? [modeOf(root)] : [modeOf(path), ...modesUpTo(root, dirname(path))];
}

describe('a shared cache', () => {
  it('says so by its folder’s mode', async () => {
    expect(isShared(await makeCache(true))).toBe(true);
    expect(isShared(await makeCache(false))).toBe(false);
    expect(isShared(createLayout('/nonexistent/cache'))).toBe(false);
    const layout = await makeCache(false);
    for (const mode of [0o775, 0o2755]) {
      chmodSync(layout.root, mode);
      expect(isShared(layout)).toBe(false);
    }
  });

  it('has folders and documents that the group can go on with, and leaves nothing beside them', async () => {
    const layout = await makeCache(true);
    const folder = join(layout.root, 'bucket/p/a/v');
    makeCacheFolder(layout, folder);
    makeCacheFolder(layout, folder);
    await publishDocument(layout, join(folder, 'one'), '1');
    await publishOnce(layout, layout.registry, '2');
    expect(new Set([...modesUpTo(layout.root, folder), ...modesUpTo(layout.root, layout.incomings)])).toEqual(
      new Set(['2775']),
    );
    expect([modeOf(join(folder, 'one')), modeOf(layout.registry)]).toEqual(['664', '664']);
    expect(readdirSync(layout.incomings)).toEqual([]);
    expect(readdirSync(layout.root).sort()).toEqual(['.gypsum-client', 'bucket']);
  });

  it('does not replace a folder that somebody has put something into, and fails where a file stands', async () => {
    const layout = await makeCache(true);
    const folder = join(layout.root, 'bucket/p');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'x'), 'x');
    makeCacheFolder(layout, folder);
    expect(readdirSync(folder)).toEqual(['x']);
    expect(() => makeCacheFolder(layout, join(folder, 'x'))).toThrow(/ENOTDIR|EEXIST/);
    expect(() => makeCacheFolder(layout, join(folder, 'x/below'))).toThrow(/ENOTDIR|EEXIST/);
    expect(readdirSync(layout.incomings)).toEqual([]);
  });
});

it('a private cache is left to the umask', async () => {
  const layout = await makeCache(false);
  const folder = join(layout.root, 'bucket/p/a/v');
  makeCacheFolder(layout, folder);
  expect(modeOf(folder)).toBe((0o777 & ~process.umask()).toString(8));
  await publishDocument(layout, join(folder, 'one'), '1');
  expect(modeOf(join(folder, 'one'))).toBe('644');
});
