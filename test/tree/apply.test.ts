import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { GypsumEvent } from '../../src/events.ts';
import type { FileMode } from '../../src/model/clone-mode.ts';
import { type Fingerprint, fingerprintOf } from '../../src/model/fingerprint.ts';
import { withDirectories } from '../../src/model/tree.ts';
import { applySteps } from '../../src/tree/apply.ts';
import { planLayout } from '../../src/tree/plan.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import type { ChangeSymlink, FillSymlink, MakeStep } from '../../src/tree/step.ts';
import { layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const directory = (path: string): MakeStep => ({ path, after: { type: 'directory' } });
const symlink = (path: string, target = `/bucket/${path}`): MakeStep => ({ path, after: { type: 'symlink', target } });

/** Lets so much time pass with each look at the clock that steps give way, and report, after each one. */
function giveWayAlways(): void {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1_000;
    return now;
  });
  onTestFinished(() => clock.mockRestore());
}

const md5 = (text: string) => ({ algorithm: 'md5', hex: createHash('md5').update(text).digest('hex') }) as const;
const file = (path: string, mode: FileMode, source: string): MakeStep => ({
  path,
  after: { type: 'file', mode, source, size: 'text'.length, digest: md5('text') },
});
const fill = (path: string, target: string, mode: FileMode, source: string): FillSymlink => ({
  path,
  before: { type: 'symlink', target },
  after: { type: 'file', mode, source, size: 'text'.length, digest: md5('text') },
});
const change = (path: string, before: string, target: string): ChangeSymlink => ({
  path,
  before: { type: 'symlink', target: before },
  after: { type: 'symlink', target },
});

describe('steps', () => {
  it('make real files, tell how they look, and take them back if that cannot be kept', async () => {
    const root = await tempFolder();
    layOut(root, { 'cache/x': 'text', clone: 'folder/' });
    const source = join(root, 'cache/x');
    const steps = [directory('sub'), file('a', 'copy', source), file('sub/b', 'hardlink', source)];
    const finish = async (made: ReadonlyMap<string, Fingerprint>) => {
      for (const [path, print] of made) expect(print).toEqual(fingerprintOf(lstatSync(join(root, 'clone', path))));
      expect([...made.keys()]).toEqual(['a', 'sub/b']);
    };
    await applySteps(join(root, 'clone'), steps, { finish });
    expect(readFileSync(join(root, 'clone/a'), 'utf8')).toBe('text');
    expect(lstatSync(join(root, 'clone/sub/b')).ino).toBe(lstatSync(source).ino);

    mkdirSync(join(root, 'other'));
    const reason = new Error('full');
    await expect(applySteps(join(root, 'other'), steps, { finish: () => Promise.reject(reason) })).rejects.toBe(reason);
    expect(await scanFolder(join(root, 'other'))).toEqual([]);
    expect(readFileSync(source, 'utf8')).toBe('text');
  });

  it.each(['copy', 'hardlink'] as const)(
    'put files in the place of symlinks (%s), and take them back',
    async (mode) => {
      const root = await tempFolder();
      layOut(root, {
        'cache/x': 'text',
        'clone/a': { link: '/x' },
        'clone/b': { link: '/x' },
        'clone/c': { link: '/mine' },
      });
      const [source, clone] = [join(root, 'cache/x'), join(root, 'clone')];
      const steps = ['a', 'b', 'c'].map((path) => fill(path, '/x', mode, source));
      const before = await scanFolder(clone);
      const reason = new Error('full');
      await expect(applySteps(clone, steps, { finish: () => Promise.reject(reason) })).rejects.toBe(reason);
      expect(await scanFolder(clone)).toEqual(before);
      let made: ReadonlyMap<string, Fingerprint> = new Map();
      const finish = async (files: typeof made) => {
        made = files;
      };
      await applySteps(clone, steps, { finish });
      expect([...made.keys()]).toEqual(['a', 'b']);
      for (const path of ['a', 'b']) {
        expect(readFileSync(join(clone, path), 'utf8')).toBe('text');
        expect(lstatSync(join(clone, path)).ino === lstatSync(source).ino).toBe(mode === 'hardlink');
      }
      // It is another one by now.
      expect(readlinkSync(join(clone, 'c'))).toBe('/mine');
      expect(readdirSync(clone)).toEqual(['a', 'b', 'c']);
    },
  );

  it('take back no file that was written to meanwhile', async () => {
    const root = await tempFolder();
    layOut(root, { 'cache/x': 'text', clone: 'folder/' });
    const steps = [file('a', 'copy', join(root, 'cache/x')), file('b', 'copy', join(root, 'cache/x'))];
    const reason = new Error('enough');
    const finish = async () => {
      writeFileSync(join(root, 'clone/b'), 'their text');
      throw reason;
    };
    await expect(applySteps(join(root, 'clone'), steps, { finish })).rejects.toBe(reason);
    expect(await scanFolder(join(root, 'clone'))).toEqual([{ type: 'file', path: 'b', size: 10 }]);
  });

  it('have a symlink lead elsewhere, and back again if a later one fails', async () => {
    const root = await tempFolder();
    layOut(root, { a: { link: '/old/a' }, b: { link: '/mine/b' }, c: 'text' });
    const changes = [change('a', '/old/a', '/new/a'), change('b', '/old/b', '/new/b')];
    await expect(applySteps(root, [...changes, directory('c')])).rejects.toMatchObject({ code: 'EEXIST' });
    expect(readlinkSync(join(root, 'a'))).toBe('/old/a');
    await applySteps(root, changes);
    expect(readlinkSync(join(root, 'a'))).toBe('/new/a');
    // It led elsewhere when its turn came: somebody else's doing.
    expect(readlinkSync(join(root, 'b'))).toBe('/mine/b');
    expect((await scanFolder(root)).map(({ path }) => path)).toEqual(['a', 'b', 'c']);
  });

  it('make folders and symlinks, dangling ones too', async () => {
    const root = await tempFolder();
    await applySteps(root, [directory('a'), symlink('a/b', '/no/where'), symlink('c', 'a\udcff')]);
    expect(await scanFolder(root)).toEqual([
      { type: 'directory', path: 'a' },
      { type: 'symlink', path: 'a/b', target: '/no/where' },
      { type: 'symlink', path: 'c', target: 'a\udcff' },
    ]);
  });

  it('make of a folder what was planned', async () => {
    const root = await tempFolder();
    layOut(root, { 'a/mine': 'text', blocked: 'file', elsewhere: { link: 'a' } });
    const wanted = withDirectories(
      ['a/new', 'blocked/x', 'c/d/e', 'elsewhere/y'].map((path) => ({
        type: 'symlink',
        path,
        target: `/bucket/${path}`,
      })),
    );
    const { steps, conflicts } = planLayout(wanted, await scanFolder(root));

    await applySteps(root, steps);

    expect(conflicts).toEqual(['blocked/x', 'elsewhere/y']);
    expect((await scanFolder(root)).map(({ path }) => path)).toEqual([
      'a',
      'a/mine',
      'a/new',
      'blocked',
      'c',
      'c/d',
      'c/d/e',
      'elsewhere',
    ]);
    expect(planLayout(wanted, await scanFolder(root))).toEqual({ steps: [], conflicts, unchanged: 2 });
  });

  it.each<[string, MakeStep[], string]>([
    ['something is in the way', [symlink('theirs')], 'EEXIST'],
    ['a folder is in the way', [directory('theirs')], 'EEXIST'],
    ['a folder is missing', [symlink('missing/x')], 'ENOENT'],
    ['a file stands where a folder should be', [symlink('theirs/x')], 'ENOTDIR'],
    ['a name is too long', [directory('n'.repeat(300))], 'ENAMETOOLONG'],
    ['a text is too long', [symlink('long', 't'.repeat(5000))], 'ENAMETOOLONG'],
  ])('are all taken back where %s', async (_what, failing, code) => {
    const root = await tempFolder();
    layOut(root, { theirs: 'text' });
    const before = await scanFolder(root);

    const steps = [directory('a'), directory('a/b'), symlink('a/b/c'), symlink('d'), ...failing, symlink('z')];
    await expect(applySteps(root, steps)).rejects.toMatchObject({ code });

    expect(await scanFolder(root)).toEqual(before);
    expect(readFileSync(join(root, 'theirs'), 'utf8')).toBe('text');
  });

  it('are all taken back when the signal is aborted, and throw its reason', async () => {
    const root = await tempFolder();
    const stop = new AbortController();
    const reason = new Error('enough');
    giveWayAlways();
    let seen = 0;
    const onEvent = () => {
      if (++seen === 2) stop.abort(reason);
    };
    const steps = [directory('a'), symlink('a/b'), symlink('a/c'), symlink('d')];
    await expect(applySteps(root, steps, { signal: stop.signal, onEvent })).rejects.toBe(reason);
    expect(seen).toBe(2);
    expect(await scanFolder(root)).toEqual([]);
  });

  it('are not begun with a signal that is aborted', async () => {
    const root = await tempFolder();
    const reason = new Error('enough');
    await expect(applySteps(root, [symlink('a')], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await scanFolder(root)).toEqual([]);
  });

  it('take back what is theirs only: not what others have put there meanwhile', async () => {
    const root = await tempFolder();
    const stop = new AbortController();
    const reason = new Error('enough');
    giveWayAlways();
    const folders = ['full', 'gone', 'file', 'kept'].map(directory);
    const links = ['replaced', 'moved', 'lost', 'kept/ours'].map((path) => symlink(path));
    const steps = [...folders, ...links, symlink('never')];
    let seen = 0;
    const onEvent = () => {
      if (++seen < folders.length + links.length) return;
      writeFileSync(join(root, 'full/theirs'), 'text');
      rmSync(join(root, 'gone'), { recursive: true });
      rmSync(join(root, 'file'), { recursive: true });
      writeFileSync(join(root, 'file'), 'text');
      unlinkSync(join(root, 'replaced'));
      writeFileSync(join(root, 'replaced'), 'text');
      unlinkSync(join(root, 'moved'));
      layOut(root, { moved: { link: '/elsewhere' } });
      unlinkSync(join(root, 'lost'));
      mkdirSync(join(root, 'lost'));
      stop.abort(reason);
    };

    await expect(applySteps(root, steps, { signal: stop.signal, onEvent })).rejects.toBe(reason);

    expect((await scanFolder(root)).map(({ path }) => path)).toEqual([
      'file',
      'full',
      'full/theirs',
      'lost',
      'moved',
      'replaced',
    ]);
    expect(readFileSync(join(root, 'replaced'), 'utf8')).toBe('text');
    expect(readlinkSync(join(root, 'moved'))).toBe('/elsewhere');
  });

  it('are counted, each once', async () => {
    const root = await tempFolder();
    const events: GypsumEvent[] = [];
    giveWayAlways();
    await applySteps(root, ['a', 'b', 'c'].map(directory), { onEvent: (event) => events.push(event) });
    const files = events.map((event) => (event.type === 'progress' ? event.files : Number.NaN));
    expect(files.reduce((sum, count) => sum + count, 0)).toBe(3);
  });
});
