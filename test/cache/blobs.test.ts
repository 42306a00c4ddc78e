import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hasContent, statIfThere, writeBlob } from '../../src/cache/blobs.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { contentOf, fileRef } from '../helpers/content.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const content = contentOf('right content', fileRef('x'));

async function open() {
  const root = await tempFolder();
  const layout = createLayout(root);
  const incoming = dirname(layout.incoming('x'));
  return {
    root,
    layout,
    leftovers: () => (existsSync(incoming) ? readdirSync(incoming) : []),
    blob: layout.blob('p', content.digest),
  };
}

const chunks = (...texts: string[]) => Readable.from(texts.map((text) => Buffer.from(text)));

describe('a blob', () => {
  it('is written with the expected content only, read-only', async () => {
    const { layout, blob, leftovers } = await open();
    const seen: number[] = [];
    const stats = await writeBlob(layout, 'p', content, 'x', chunks('right', ' content'), {
      onBytes: (bytes) => void seen.push(bytes),
    });
    expect(readFileSync(blob, 'utf8')).toBe('right content');
    expect(statSync(blob)).toMatchObject({ ino: stats.ino, size: stats.size, mtimeMs: stats.mtimeMs });
    expect(stats.mode & 0o777).toBe(0o444);
    expect(seen).toEqual([5, 8]);
    expect(leftovers()).toEqual([]);
  });

  it.each([
    ['other bytes', ['wrong content']],
    ['too few', ['right']],
    ['none', []],
    ['too many', ['right content', '!']],
  ])('leaves nothing with %s', async (_what, texts) => {
    const { layout, blob, leftovers } = await open();
    const writing = writeBlob(layout, 'p', content, 'p/a/v:/x', chunks(...texts));
    await expect(writing).rejects.toMatchObject({
      code: 'wrong-content',
      message: expect.stringMatching(/p\/a\/v:\/x/),
    });
    expect(existsSync(blob)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('leaves nothing, also later, when its source breaks at once, many times', async () => {
    const { layout, leftovers } = await open();
    const broken = () =>
      new Readable({
        read() {
          this.destroy(new Error('connection lost'));
        },
      });
    for (let time = 0; time < 300; time++) {
      await expect(writeBlob(layout, 'p', content, 'x', broken())).rejects.toThrow('connection lost');
    }
    // A file that was being made meanwhile would be there by then.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(leftovers()).toEqual([]);
  });

  it('leaves nothing when its source breaks', async () => {
    const { layout, blob, leftovers } = await open();
    const broken = new Error('connection lost');
    const source = Readable.from(
      (function* () {
        yield Buffer.from('right');
        throw broken;
      })(),
    );
    await expect(writeBlob(layout, 'p', content, 'x', source)).rejects.toBe(broken);
    expect(existsSync(blob)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('leaves nothing when it is aborted', async () => {
    const { layout, blob, leftovers } = await open();
    const stop = new AbortController();
    const source = new Readable({ read() {} });
    source.push('right');
    const onBytes = () => stop.abort(new Error('enough'));
    const writing = writeBlob(layout, 'p', content, 'x', source, { signal: stop.signal, onBytes });
    await expect(writing).rejects.toMatchObject({ name: 'AbortError' });
    expect(source.destroyed).toBe(true);
    expect(existsSync(blob)).toBe(false);
    expect(leftovers()).toEqual([]);
  });

  it('may be empty', async () => {
    const { layout } = await open();
    const empty = contentOf('', fileRef('x'));
    await writeBlob(layout, 'p', empty, 'x', chunks());
    expect(readFileSync(layout.blob('p', empty.digest), 'utf8')).toBe('');
  });
});

describe('the content of a file', () => {
  it.each([
    ['right content', true],
    ['wrong content', false],
    ['right conten', false],
    ['right content!', false],
    ['', false],
  ])('%j is the expected one: %s', async (text, expected) => {
    const { root } = await open();
    writeFileSync(join(root, 'file'), text);
    expect(await hasContent(join(root, 'file'), content)).toBe(expected);
  });

  it('cannot be told where it cannot be read, or is not wanted any more', async () => {
    const { root } = await open();
    await expect(hasContent(join(root, 'none'), content)).rejects.toMatchObject({ code: 'ENOENT' });
    writeFileSync(join(root, 'file'), 'right content');
    const reason = new Error('enough');
    await expect(hasContent(join(root, 'file'), content, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

it('stats are those of what stands there, a symlink itself too; or nothing', async () => {
  const { root } = await open();
  writeFileSync(join(root, 'file'), 'x');
  symlinkSync('file', join(root, 'link'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  expect(statIfThere(join(root, 'file'))?.isFile()).toBe(true);
  expect(statIfThere(join(root, 'link'))?.isSymbolicLink()).toBe(true);
  expect(statIfThere(join(root, 'fifo'))?.isFIFO()).toBe(true);
  expect(statIfThere(join(root, 'none'))).toBeUndefined();
  expect(statIfThere(join(root, 'file/below'))).toBeUndefined();
});
