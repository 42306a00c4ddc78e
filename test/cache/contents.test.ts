import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Content, type Fetch, supply, unverifiedFiles } from '../../src/cache/contents.ts';
import { type Fingerprints, openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout } from '../../src/cache/layout.ts';
import type { GypsumEvent } from '../../src/events.ts';
import { contentOf, fetcher, fileRef } from '../helpers/content.ts';
import { linkUntilRefused } from '../helpers/link-until-refused.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function open() {
  const layout = createLayout(await tempFolder());
  const events: GypsumEvent[] = [];
  const damaged = () => events.flatMap((event) => (event.type === 'damaged' ? [event] : []));
  /** Supplies a content as a new process would: with what is written down, and these texts to be fetched. */
  const get = async (content: Content, ...texts: string[]) => {
    const prints = await openFingerprints(layout, content.source.project, [content.digest.hex]);
    const fetch = fetcher(layout, ...texts);
    const how = await supply(layout, prints, content, fetch, { onEvent: (event) => void events.push(event) });
    await prints.flush();
    expect(fetch.calls).toBe(texts.length);
    return how;
  };
  const unverified = async (content: Content) =>
    unverifiedFiles(layout, await openFingerprints(layout, 'p', [content.digest.hex]), content).map(
      (file) => file.path,
    );
  const put = (path: string, text: string) => {
    const at = layout.file(fileRef(path));
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, text);
    return at;
  };
  const read = (path: string) => readFileSync(layout.file(fileRef(path)), 'utf8');
  const inode = (path: string) => lstatSync(layout.file(fileRef(path))).ino;
  return {
    layout,
    events,
    damaged,
    get,
    unverified,
    put,
    read,
    inode,
    at: (path: string) => layout.file(fileRef(path)),
  };
}

describe('content that is supplied', () => {
  it('is fetched once for all its files, which are one read-only inode with the blob', async () => {
    const { layout, get, read, inode, at, events } = await open();
    const content = contentOf('text', fileRef('x'), fileRef('folder/y'));
    expect(await get(content, 'text')).toBe('fetched');
    expect([read('x'), read('folder/y')]).toEqual(['text', 'text']);
    expect(new Set([inode('x'), inode('folder/y'), statSync(layout.blob('p', content.digest)).ino]).size).toBe(1);
    expect(statSync(at('x')).mode & 0o777).toBe(0o444);
    expect(events).toEqual([]);
    expect(readdirSync(dirname(layout.incoming('x')))).toEqual([]);
  });

  it('is not fetched again: not for the same file, another file, or another version', async () => {
    const { get, read, unverified } = await open();
    await get(contentOf('text', fileRef('x')), 'text');
    expect(await unverified(contentOf('text', fileRef('x')))).toEqual([]);
    expect(await unverified(contentOf('text', fileRef('x'), fileRef('y')))).toEqual(['y']);
    expect(await get(contentOf('text', fileRef('x')))).toBe('cached');
    expect(await get(contentOf('text', fileRef('y')))).toBe('cached');
    expect(await get(contentOf('text', fileRef('x', 'w')))).toBe('cached');
    expect(read('y')).toBe('text');
    expect(await unverified(contentOf('text', fileRef('x'), fileRef('y'), fileRef('x', 'w')))).toEqual([]);
  });

  it('is not shared with another project', async () => {
    const { get } = await open();
    await get(contentOf('text', fileRef('x')), 'text');
    expect(await get(contentOf('text', { ...fileRef('x'), project: 'q' }), 'text')).toBe('fetched');
  });

  it('is adopted where another client has left it, and serves the other files', async () => {
    const { layout, get, put, read, inode, at, damaged } = await open();
    const ino = lstatSync(put('b', 'text')).ino;
    const content = contentOf('text', fileRef('a'), fileRef('b'), fileRef('c'));
    expect(await get(content)).toBe('adopted');
    expect([read('a'), read('b'), read('c')]).toEqual(['text', 'text', 'text']);
    expect([inode('a'), inode('b'), inode('c')]).toEqual([ino, ino, ino]);
    expect(statSync(layout.blob('p', content.digest)).ino).toBe(ino);
    expect(statSync(at('b')).mode & 0o777).toBe(0o444);
    expect(damaged()).toEqual([]);
    expect(await get(content)).toBe('cached');
  });

  it('takes the place of another client’s symlink, and leaves what that leads to', async () => {
    const { get, put, at, read, damaged } = await open();
    const theirs = put('theirs', 'text');
    symlinkSync(theirs, at('x'));
    symlinkSync('nowhere', at('y'));
    expect(await get(contentOf('text', fileRef('x'), fileRef('y')), 'text')).toBe('fetched');
    expect([lstatSync(at('x')).isFile(), lstatSync(at('y')).isFile()]).toEqual([true, true]);
    expect([read('x'), read('y'), read('theirs')]).toEqual(['text', 'text', 'text']);
    expect(lstatSync(theirs).mode & 0o777).not.toBe(0o444);
    expect(damaged()).toEqual([]);
  });

  it.each([
    ['other content', 'TEXT'],
    ['a part of it', 'te'],
    ['more than it', 'text and more'],
    ['nothing', ''],
  ])('replaces another client’s file with %s, which is kept and reported', async (_what, theirs) => {
    const { get, put, read, damaged } = await open();
    const path = put('folder/x', theirs);
    expect(await get(contentOf('text', fileRef('folder/x')), 'text')).toBe('fetched');
    expect(read('folder/x')).toBe('text');
    expect(damaged()).toMatchObject([{ file: fileRef('folder/x'), path }]);
    expect(readFileSync(damaged()[0]?.movedTo ?? '', 'utf8')).toBe(theirs);
  });

  it('replaces a folder that stands where a file must be, which is kept and reported', async () => {
    const { get, put, read, damaged } = await open();
    put('x/deep/theirs', 'mine');
    expect(await get(contentOf('text', fileRef('x')), 'text')).toBe('fetched');
    expect(read('x')).toBe('text');
    expect(readFileSync(join(damaged()[0]?.movedTo ?? '', 'deep/theirs'), 'utf8')).toBe('mine');
  });

  it.each<[string, (path: string, elsewhere: string) => void]>([
    ['a file', (path) => writeFileSync(path, 'theirs')],
    ['a symlink to a folder', (path, elsewhere) => symlinkSync(elsewhere, path)],
    ['a dangling symlink', (path) => symlinkSync('/no/where', path)],
  ])('replaces %s that stands where a folder must be, once for all that is below', async (_what, block) => {
    const { get, at, read, damaged } = await open();
    const elsewhere = await tempFolder();
    writeFileSync(join(elsewhere, 'y'), 'text', { mode: 0o644 });
    mkdirSync(at('a'), { recursive: true });
    block(at('a/b'), elsewhere);
    const before = lstatSync(at('a/b')).ino;
    expect(await get(contentOf('text', fileRef('a/b/c/x'), fileRef('a/b/y')), 'text')).toBe('fetched');
    expect([read('a/b/c/x'), read('a/b/y')]).toEqual(['text', 'text']);
    expect(damaged()).toMatchObject([{ path: at('a/b') }]);
    expect(lstatSync(damaged()[0]?.movedTo ?? '').ino).toBe(before);
    expect(readdirSync(elsewhere)).toEqual(['y']);
    expect(lstatSync(join(elsewhere, 'y'))).toMatchObject({ nlink: 1, mode: 0o100644 });
  });

  it('may be in a version’s folder that somebody has moved to another disk', async () => {
    const { get, at, read, damaged } = await open();
    const elsewhere = await tempFolder();
    mkdirSync(dirname(dirname(at('x'))), { recursive: true });
    symlinkSync(elsewhere, dirname(at('x')));
    expect(await get(contentOf('text', fileRef('x'), fileRef('a/y')), 'text')).toBe('fetched');
    expect([read('x'), read('a/y')]).toEqual(['text', 'text']);
    expect(readdirSync(elsewhere)).toEqual(['a', 'x']);
    expect(damaged()).toEqual([]);
  });

  it('is fetched again where its file was edited through a clone’s link, and the edit is kept once', async () => {
    const { layout, get, at, read, damaged, unverified } = await open();
    const content = contentOf('text', fileRef('x'));
    await get(content, 'text');
    chmodSync(at('x'), 0o644);
    writeFileSync(at('x'), 'edit');
    expect(await unverified(content)).toEqual(['x']);

    expect(await get(content, 'text')).toBe('fetched');

    expect(read('x')).toBe('text');
    expect(readFileSync(layout.blob('p', content.digest), 'utf8')).toBe('text');
    expect(damaged()).toHaveLength(1);
    expect(readFileSync(damaged()[0]?.movedTo ?? '', 'utf8')).toBe('edit');
  });

  it('heals one file of many: those of other versions follow when they are asked for', async () => {
    const { get, at, read, layout } = await open();
    const [old, now] = [contentOf('text', fileRef('x', 'u')), contentOf('text', fileRef('x'))];
    await get(old, 'text');
    await get(now);
    chmodSync(at('x'), 0o644);
    writeFileSync(at('x'), 'edit');
    expect(await get(now, 'text')).toBe('fetched');
    expect(read('x')).toBe('text');
    expect(await get(old)).toBe('cached');
    expect(readFileSync(layout.file(fileRef('x', 'u')), 'utf8')).toBe('text');
  });

  it('is restored from a good file where only the blob is wrong', async () => {
    const { layout, get, read, inode } = await open();
    const content = contentOf('text', fileRef('x'));
    await get(content, 'text');
    const blob = layout.blob('p', content.digest);
    renameSync(blob, `${blob}.old`);
    writeFileSync(blob, 'edit');
    expect(await get(contentOf('text', fileRef('x'), fileRef('y')))).toBe('adopted');
    expect([readFileSync(blob, 'utf8'), read('y')]).toEqual(['text', 'text']);
    expect(inode('y')).toBe(inode('x'));
  });

  it('keeps a wrong blob that stands alone, rather than to throw it away', async () => {
    const { layout, get, read } = await open();
    const content = contentOf('text', fileRef('x'));
    const blob = layout.blob('p', content.digest);
    mkdirSync(dirname(blob), { recursive: true });
    writeFileSync(blob, 'edit');
    expect(await get(content, 'text')).toBe('fetched');
    expect(read('x')).toBe('text');
    const [id = ''] = readdirSync(dirname(dirname(layout.damaged('id', 'x'))));
    const [name = ''] = readdirSync(dirname(layout.damaged(id, 'x')));
    expect(readFileSync(layout.damaged(id, name), 'utf8')).toBe('edit');
  });

  it('leaves nothing where what was fetched is wrong, and what failed before succeeds later', async () => {
    const { layout, get, at } = await open();
    const content = contentOf('text', fileRef('x'));
    await expect(get(content, 'HOOT')).rejects.toMatchObject({ code: 'wrong-content' });
    expect(existsSync(at('x'))).toBe(false);
    expect(existsSync(layout.blob('p', content.digest))).toBe(false);
    expect(await get(content, 'text')).toBe('fetched');
  });

  it('is supplied from the beginning where somebody who frees space takes its blob away between two steps', async () => {
    const { layout, read } = await open();
    const content = contentOf('text', fileRef('x'));
    const prints = await openFingerprints(layout, 'p', [content.digest.hex]);
    const fetch = fetcher(layout, 'text', 'text');
    const disturbed: Fetch = async (wanted) => {
      const stats = await fetch(wanted);
      if (fetch.calls === 1) rmSync(layout.blob('p', content.digest));
      return stats;
    };
    expect(await supply(layout, prints, content, disturbed)).toBe('fetched');
    expect([read('x'), fetch.calls]).toEqual(['text', 2]);
  });

  it('is taken from the blob that another process has made meanwhile, where locks do not keep it away', async () => {
    const { layout, put } = await open();
    const content = contentOf('content', fileRef('x'));
    put('x', 'CONTENT');
    const prints = await openFingerprints(layout, 'p', [content.digest.hex]);
    const blob = layout.blob('p', content.digest);
    const check: Fingerprints['check'] = (...asked) => {
      // The blob was looked for, and the file is about to be read.
      mkdirSync(dirname(blob), { recursive: true });
      if (!existsSync(blob)) writeFileSync(blob, 'content');
      return prints.check(...asked);
    };
    const fetch = fetcher(layout);
    expect(await supply(layout, { ...prints, check }, content, fetch)).toBe('cached');
    expect(readFileSync(layout.file(fileRef('x')), 'utf8')).toBe('content');
    expect(readdirSync(layout.damages)).toHaveLength(1);
  });

  it('is not taken for right because of its digest alone, where the size is said to be another', async () => {
    const { get, read, unverified } = await open();
    const content = contentOf('text', fileRef('x'));
    await get(content, 'text');
    const lie = { ...contentOf('text', fileRef('x')), size: 5 };
    expect(await unverified(lie)).toEqual(['x']);
    await expect(get({ ...lie, files: [fileRef('y')] }, 'text')).rejects.toMatchObject({ code: 'wrong-content' });
    expect(read('x')).toBe('text');
  });

  it('gets a next inode where the file system allows no more links of the first', async ({ skip }) => {
    const { layout, get, read, inode } = await open();
    const content = contentOf('text', fileRef('x'));
    await get(content, 'text');
    const first = inode('x');
    if (linkUntilRefused(layout.blob('p', content.digest)) === undefined) {
      return skip('this file system allows more than 70,000 links of one file');
    }
    const more = contentOf('text', fileRef('x'), fileRef('y'), fileRef('z'));
    expect(await get(more)).toBe('cached');
    expect([read('x'), read('y'), read('z')]).toEqual(['text', 'text', 'text']);
    expect(inode('x')).toBe(first);
    expect(inode('y')).not.toBe(first);
    expect(inode('z')).toBe(inode('y'));
    expect(statSync(layout.blob('p', content.digest)).ino).toBe(inode('y'));
    expect(await get(more)).toBe('cached');

    // Another client's file may be at the limit too.
    rmSync(layout.blob('p', content.digest));
    rmSync(layout.file(fileRef('y')));
    rmSync(layout.file(fileRef('z')));
    expect(await get(more)).toBe('adopted');
    expect([inode('x'), read('y')]).toEqual([first, 'text']);
  });

  it('may be stopped while it is verified', async () => {
    const { layout, put } = await open();
    const content = contentOf('text', fileRef('x'));
    put('x', 'text');
    const prints = await openFingerprints(layout, 'p', [content.digest.hex]);
    const reason = new Error('enough');
    const supplying = supply(layout, prints, content, fetcher(layout), { signal: AbortSignal.abort(reason) });
    await expect(supplying).rejects.toBe(reason);
    expect(readFileSync(layout.file(fileRef('x')), 'utf8')).toBe('text');
  });
});
