import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { linkFolders, linkStatus, stageFolder } from '../../src/index.ts';
import { deepFolder } from '../helpers/deep-folder.ts';

/** 3,000 levels in 15 kB: more than three times what a path may have. Every tenth name is not UTF-8. */
const NAMES = Array.from({ length: 3000 }, (_, at) => (at % 10 === 0 ? `\udcff${at}` : `d${at % 1000}`));
const DEEP = NAMES.join('/');

/** As long as the text of a link may be, less what the paths of temporary folders have at most. */
const LONG = Array.from({ length: 385 }, (_, at) => `long-${at % 1000}`.padEnd(9, '-'));

const openFiles = () => readdirSync('/proc/self/fd').length;
const isFile = (path: string) => lstatSync(path).isFile();

/** Has the same file in the inmost folders of two. */
async function twoFolders(names: readonly string[], before: readonly string[] = []) {
  const src = await deepFolder(names);
  const dst = await deepFolder([...before, ...names]);
  for (const { inmost } of [src, dst]) writeFileSync(join(inmost, 'file'), 'text');
  const folders = [src.root, join(dst.root, ...before)] as const;
  return { src, dst, folders };
}

describe.runIf(process.platform === 'linux')('folders that lie deeper than any path of the system leads', () => {
  it('are linked, staged and linked again as often as one likes', async () => {
    const { src, dst, folders } = await twoFolders(LONG, ['x'.repeat(250), 'y'.repeat(250)]);
    const path = `${LONG.join('/')}/file`;
    const place = join(dst.inmost, 'file');
    const open = openFiles();
    for (const _ of [1, 2]) {
      const linked = await linkFolders(...folders, { linkType: 'absolute', protect: true });
      expect(linked).toMatchObject({ counts: { linked: 1, failed: 0 }, unprotected: [] });
      expect(readlinkSync(place)).toBe(join(src.root, path));
      expect(lstatSync(join(src.inmost, 'file')).mode & 0o777).toBe(0o444);
      expect((await linkStatus(...folders)).counts).toMatchObject({ 'already-linked': 1 });

      const staged = await stageFolder(folders[1], { source: folders[0] });
      expect(staged.links).toMatchObject([{ path, state: 'staged' }]);
      expect(isFile(place)).toBe(true);
      expect(readFileSync(place, 'utf8')).toBe('text');
    }
    expect(openFiles()).toBe(open);
    expect(readdirSync(dst.inmost)).toEqual(['file']);
  });

  it('have files told for which no link is long enough, and all else done', async () => {
    const { dst, folders } = await twoFolders(NAMES);
    for (const folder of folders) writeFileSync(join(folder, 'top'), 'top');
    const far = {
      path: `${DEEP}/file`,
      state: 'failed',
      message: expect.stringMatching(/^A link to it would need .*, and can have 4095\.$/),
    };
    expect((await linkStatus(...folders)).files).toMatchObject([far, { path: 'top', state: 'same' }].toReversed());
    const linked = await linkFolders(...folders, { linkType: 'absolute' });
    expect(linked.files).toMatchObject([{ path: 'top', state: 'linked' }, far]);
    expect(isFile(join(dst.inmost, 'file'))).toBe(true);
  });

  it('have links staged that lead elsewhere, to their neighbours, and to folders', async () => {
    const { root, inmost } = await deepFolder(NAMES);
    const elsewhere = await deepFolder(LONG);
    writeFileSync(join(elsewhere.root, 'file'), 'far');
    writeFileSync(join(elsewhere.inmost, 'deeper'), 'deeper');
    writeFileSync(join(inmost, 'file'), 'near');
    mkdirSync(join(inmost, 'folder'));
    writeFileSync(join(inmost, 'folder', 'inside'), 'inside');
    const links = {
      far: join(elsewhere.root, 'file'),
      near: 'file',
      up: '../.',
      nowhere: 'no',
      below: 'folder',
      all: elsewhere.root,
    };
    for (const [name, text] of Object.entries(links)) symlinkSync(text, join(inmost, name));
    const open = openFiles();

    const { links: found, unreadable } = await stageFolder(root, { folders: true });

    expect(unreadable).toEqual([]);
    expect(Object.fromEntries(found.map(({ path, state }) => [path.slice(DEEP.length + 1), state]))).toEqual({
      far: 'staged',
      near: 'staged',
      up: 'failed',
      nowhere: 'dangling',
      below: 'staged',
      all: 'staged',
    });
    expect(openFiles()).toBe(open);
    const read = (name: string) => isFile(join(inmost, name)) && readFileSync(join(inmost, name), 'utf8');
    expect([read('far'), read('near'), read('below/inside'), read('all/file')]).toEqual([
      'far',
      'near',
      'inside',
      'far',
    ]);
    expect(readdirSync(inmost).toSorted()).toEqual(['all', 'below', 'far', 'file', 'folder', 'near', 'nowhere', 'up']);
  });
});
