import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SeedFile } from '../../mocks/index.ts';
import { parseVersionRef } from '../../src/index.ts';
import { createRig, type Rig, readTree } from '../helpers/rig.ts';

const SCRIPT = fileURLToPath(new URL('../helpers/other-client.mjs', import.meta.url));

/** Versions whose files are partly new, partly equal to others, and partly links, to links too. */
function manyVersions() {
  const versions: Record<string, Record<string, SeedFile>> = {};
  const contents: Record<string, Record<string, string>> = {};
  for (let v = 1; v <= 6; v++) {
    const files: Record<string, SeedFile> = {};
    const texts: Record<string, string> = {};
    for (let f = 0; f < 12; f++) {
      const path = `${f % 3 === 0 ? 'sub/' : ''}f${f}.txt`;
      const isLink = v > 1 && f % 2 === 0;
      texts[path] = isLink
        ? (contents[`p/a/v${v - 1}`]?.[path] ?? '')
        : `${f % 4 === 1 ? 'equal' : `own to v${v}`} ${f}`;
      files[path] = isLink ? { link: `p/a/v${v - 1}:/${path}` } : texts[path];
    }
    versions[`p/a/v${v}`] = files;
    contents[`p/a/v${v}`] = texts;
  }
  return { seed: { versions }, contents };
}

async function runOther(
  { registry, cacheDir }: Rig,
  how: 'plain' | 'rename',
  versions: readonly string[],
): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, registry.url, cacheDir, how, ...versions], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(await once(child, 'close')).toEqual([0, null]);
}

async function readUserFiles({ cacheDir }: Rig, version: string): Promise<Record<string, string>> {
  const tree = await readTree(join(cacheDir, 'bucket', version));
  return Object.fromEntries(Object.entries(tree).filter(([path]) => !/(^|\/)\.\./.test(path)));
}

describe('the R and Python clients', () => {
  it('find all that they look for in a cache that was filled here', async () => {
    const { seed, contents } = manyVersions();
    const rig = await createRig(seed);
    for (const version of Object.keys(contents)) await rig.client.saveVersion(parseVersionRef(version));
    rig.registry.resetCalls();
    await runOther(rig, 'plain', Object.keys(contents));
    expect(rig.registry.calls).toEqual([]);

    // Also where they do not take our word for it.
    await rm(join(rig.cacheDir, 'status'), { recursive: true });
    await runOther(rig, 'plain', Object.keys(contents));
    const asked = rig.registry.calls.filter(({ key }) => key !== undefined && !key.endsWith('/..links'));
    expect(asked).toEqual([]);
    for (const [version, texts] of Object.entries(contents)) {
      expect(await readUserFiles(rig, version)).toEqual(texts);
      const manifest = await readFile(join(rig.cacheDir, 'bucket', version, '..manifest'), 'utf8');
      const sent = await fetch(`${rig.registry.url}/file/${encodeURIComponent(`${version}/..manifest`)}`);
      expect(manifest).toBe(await sent.text());
    }
    const inode = async (path: string) => (await lstat(join(rig.cacheDir, 'bucket', path))).ino;
    expect(await inode('p/a/v6/f2.txt')).toBe(await inode('p/a/v1/f2.txt'));
  });

  it('leave a cache that is used here: their hard links and their marks', async () => {
    const { seed, contents } = manyVersions();
    const rig = await createRig(seed);
    await runOther(rig, 'rename', Object.keys(contents));
    rig.registry.resetCalls();
    for (const version of Object.keys(contents)) {
      const saved = await rig.client.saveVersion(parseVersionRef(version), rig.watch);
      expect(saved.fetched.contents).toBe(0);
    }
    expect(rig.registry.count({ key: /txt$/ })).toBe(0);
    expect(rig.events.filter(({ type }) => type === 'damaged')).toEqual([]);
  });

  it.each(['plain', 'rename'] as const)('may write while we do (%s): every file is right in the end', async (how) => {
    const { seed, contents } = manyVersions();
    const rig = await createRig(seed);
    const versions = Object.keys(contents);
    const ours = async () => {
      for (const version of versions) await rig.client.saveVersion(parseVersionRef(version));
    };
    await Promise.all([runOther(rig, how, versions), runOther(rig, how, versions.toReversed()), ours()]);
    // Whoever wrote last may have left anything: that is noticed, and mended.
    for (const version of versions) await rig.client.saveVersion(parseVersionRef(version));
    for (const [version, texts] of Object.entries(contents)) expect(await readUserFiles(rig, version)).toEqual(texts);
    rig.registry.resetCalls();
    for (const version of versions) {
      const again = await rig.connect().saveVersion(parseVersionRef(version));
      expect(again.fetched.contents).toBe(0);
      expect((await lstat(join(rig.cacheDir, 'status', version, 'COMPLETE'))).isFile()).toBe(true);
    }
    expect(rig.registry.calls).toEqual([]);
  });
});
