import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { lstat, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SeedFile } from '../../mocks/index.ts';
import { parseVersionRef } from '../../src/index.ts';
import { preparePauses } from '../helpers/pause-at-call.ts';
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

function inodeOf({ cacheDir }: Rig, path: string): number {
  return lstatSync(join(cacheDir, 'bucket', path)).ino;
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
    expect(inodeOf(rig, 'p/a/v6/f2.txt')).toBe(inodeOf(rig, 'p/a/v1/f2.txt'));
  });

  it('leave a cache that is used here: their hard links and their marks', async () => {
    const { seed, contents } = manyVersions();
    const rig = await createRig(seed);
    await runOther(rig, 'rename', Object.keys(contents));
    rig.registry.resetCalls();
    const linked = Object.keys(contents).map((version) => `${version}/f2.txt`);
    const before = linked.map((path) => [path, inodeOf(rig, path)] as const);
    expect(new Set(before.map(([, inode]) => inode)).size).toBe(1);
    for (const version of Object.keys(contents)) {
      const saved = await rig.client.saveVersion(parseVersionRef(version), rig.watch);
      expect(saved.fetched.contents).toBe(0);
    }
    expect(rig.registry.count({ key: /txt$/ })).toBe(0);
    expect(rig.events.filter(({ type }) => type === 'damaged')).toEqual([]);
    for (const [path, inode] of before) expect(inodeOf(rig, path), path).toBe(inode);
    // With its name among the blobs, it takes no space twice.
    expect(lstatSync(join(rig.cacheDir, 'bucket/p/a/v1/f2.txt')).nlink).toBe(linked.length + 1);
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

  it.each<[what: string, before: string | undefined, disturb: (place: string, file: number) => void]>([
    ['put the file in its place', undefined, (place) => putInPlace(place, 'content')],
    ['put something else in its place', undefined, (place) => putInPlace(place, 'CONTENT')],
    ['finish the file that is there', 'con....', (_place, file) => writeSync(file, 'content', 0)],
    ['spoil the file that is there', 'content', (_place, file) => writeSync(file, 'CONTENT', 0)],
    ['take the file away', 'content', (place) => rmSync(place, { force: true })],
  ])('may, at any step of ours, %s: that is noticed, and mended', async (_what, before, disturb) => {
    const rig = await createRig({ versions: { 'p/a/v1': { f: 'content' } } });
    const place = join(rig.cacheDir, 'bucket/p/a/v1/f');
    const save = () => rig.connect({ concurrency: 1 }).saveVersion(parseVersionRef('p/a/v1'));
    const workWith = preparePauses();
    for (let at = 0, isMet = true; isMet; at++) {
      await rm(rig.cacheDir, { recursive: true, force: true });
      mkdirSync(dirname(place), { recursive: true });
      const file = openSync(before === undefined ? join(rig.folder, 'none') : place, 'w');
      writeSync(file, before ?? '');
      // Long ago: what is written now is another time, however seldom the clock of the file system ticks.
      futimesSync(file, 1, 1);
      isMet = await workWith(at, save, async () => disturb(place, file));
      closeSync(file);
      await save();
      expect(readFileSync(place, 'utf8'), `at ${at}`).toBe('content');
      rig.registry.resetCalls();
      expect(await save()).toMatchObject({ fetched: { contents: 0 } });
      expect(rig.registry.calls).toEqual([]);
    }
  });
});

/** Writes a file beside its place, and has it take that by rename. */
function putInPlace(place: string, content: string): void {
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(`${place}.tmp`, content);
  renameSync(`${place}.tmp`, place);
}
