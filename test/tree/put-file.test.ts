import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPace } from '../../src/give-way.ts';
import { CLONE_MODES } from '../../src/model/clone-mode.ts';
import { isRefusal, putFile } from '../../src/tree/put-file.ts';
import type { Expected } from '../../src/verify-stream.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const expected = (content: string | Buffer): Expected => ({
  digest: { algorithm: 'md5', hex: createHash('md5').update(content).digest('hex') },
  size: content.length,
});

async function createSource(content: string | Buffer) {
  const folder = await tempFolder();
  writeFileSync(join(folder, 'source'), content, { mode: 0o444 });
  const put = async (way: keyof typeof putFile, name: string, wanted = expected(content), signal?: AbortSignal) => {
    const [from, to] = [join(folder, 'source'), join(folder, name)];
    return way === 'symlink' ? putFile.symlink(from, to) : putFile[way](from, to, wanted, createPace(signal));
  };
  return { folder, put };
}

describe.each(CLONE_MODES)('a file that is put as a %s', (way) => {
  it('replaces nothing, and leaves nothing else', async () => {
    const { folder, put } = await createSource('content');
    writeFileSync(join(folder, 'theirs'), 'theirs');
    const failure: unknown = await put(way, 'theirs').catch((error: unknown) => error);
    // Where bytes cannot be shared, that is said first.
    expect(isRefusal(way, failure) || (failure as { code: string }).code).toBe(
      way === 'reflink' && isRefusal(way, failure) ? true : 'EEXIST',
    );
    expect(readFileSync(join(folder, 'theirs'), 'utf8')).toBe('theirs');
    expect(readdirSync(folder)).toEqual(['source', 'theirs']);
  });
});

describe('a copy', () => {
  it.each([0, 1, 1024 * 1024, 3 * 1024 * 1024 + 1])('of %i bytes is the same and may be written to', async (size) => {
    const content = Buffer.alloc(size, 'ab');
    const { folder, put } = await createSource(content);
    await put('copy', 'copy');
    expect(readFileSync(join(folder, 'copy')).equals(content)).toBe(true);
    expect(lstatSync(join(folder, 'copy')).mode & 0o777).toBe(0o666 & ~process.umask() & 0o644);
    expect(readdirSync(folder)).toEqual(['copy', 'source']);
  });

  it.each([
    ['other bytes', 'CONTENT'],
    ['more', 'conten'],
    ['less', 'content!'],
    ['more than nothing', ''],
  ])('is not made of what holds %s', async (_what, wanted) => {
    const { folder, put } = await createSource('content');
    await expect(put('copy', 'copy', expected(wanted))).rejects.toMatchObject({ code: 'wrong-content' });
    expect(readdirSync(folder)).toEqual(['source']);
  });

  it('has its place only when all of it is there, and is broken off in the middle', async () => {
    const { folder, put } = await createSource(Buffer.alloc(8 * 1024 * 1024));
    const stop = new AbortController();
    const reason = new Error('enough');
    const pace = { due: () => true, rest: async () => stop.signal.throwIfAborted() };
    let rests = 0;
    const watching = {
      due: pace.due,
      async rest() {
        expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.\.gypsum-/), 'source']);
        if (++rests === 3) stop.abort(reason);
        await pace.rest();
      },
    };
    const source = join(folder, 'source');
    const copy = putFile.copy(source, join(folder, 'copy'), expected(readFileSync(source)), watching);
    await expect(copy).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual(['source']);
    await put('copy', 'copy');
  });
});
