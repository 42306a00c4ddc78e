import { linkSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openFingerprints } from '../../src/cache/fingerprints.ts';
import { createLayout, type Layout } from '../../src/cache/layout.ts';
import { makeClockCoarse, showStats } from '../helpers/show-stats.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const HEX = 'ab34567890123456789012345678abcd';
const OTHER = 'ab00000000000000000000000000abcd';

async function open() {
  const root = await tempFolder();
  return { root, layout: createLayout(join(root, 'cache')), file: join(root, 'file') };
}

/** Notes that a file is right, and writes it down. */
async function remember(layout: Layout, path: string, hex = HEX) {
  const prints = await openFingerprints(layout, 'p', [hex]);
  prints.remember(hex, path, lstatSync(path));
  await prints.flush();
}

/** What another process would know of a file. */
async function known(layout: Layout, path: string, hex = HEX, project = 'p') {
  return (await openFingerprints(layout, project, [hex])).check(hex, lstatSync(path));
}

/** Changes a file's content and lets size and times look as before; they come back exactly if a double holds them. */
function editSecretly(path: string, text: string): void {
  const { atimeMs, mtimeMs } = lstatSync(path);
  writeFileSync(path, text);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}

describe('a file that was verified', () => {
  it('is known to the next process, for its digest and its project only', async () => {
    const { layout, file } = await open();
    writeFileSync(file, 'content');
    expect(await known(layout, file)).toBe('unknown');
    await remember(layout, file);
    expect(await known(layout, file)).toBe('same');
    expect(await known(layout, file, OTHER)).toBe('unknown');
    expect(await known(layout, file, HEX, 'q')).toBe('unknown');
  });

  it('is known by every name it has', async () => {
    const { root, layout, file } = await open();
    writeFileSync(file, 'content');
    linkSync(file, join(root, 'link'));
    await remember(layout, file);
    expect(await known(layout, join(root, 'link'))).toBe('same');
  });

  it('is not known before that was written down', async () => {
    const { layout, file } = await open();
    writeFileSync(file, 'content');
    const prints = await openFingerprints(layout, 'p', [HEX]);
    prints.remember(HEX, file, lstatSync(file));
    expect(await known(layout, file)).toBe('unknown');
    await prints.flush();
    expect(prints.check(HEX, lstatSync(file))).toBe('same');
  });

  it.each<[string, 'unsure' | 'unknown', (path: string) => void]>([
    ['edited', 'unknown', (path) => writeFileSync(path, 'CONTENT')],
    ['made longer', 'unknown', (path) => writeFileSync(path, 'content!')],
    ['touched', 'unknown', (path) => utimesSync(path, 1, 1)],
    ['linked', 'unsure', (path) => linkSync(path, `${path}.link`)],
    [
      'replaced by a copy',
      'unknown',
      (path) => {
        const { atime, mtime } = lstatSync(path);
        writeFileSync(`${path}.new`, 'content');
        utimesSync(`${path}.new`, atime, mtime);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'replaced by a symlink',
      'unknown',
      (path) => {
        renameSync(path, `${path}.old`);
        symlinkSync(`${path}.old`, path);
      },
    ],
  ])('and then %s is %s', async (_what, expected, change) => {
    const { layout, file } = await open();
    writeFileSync(file, 'content');
    await remember(layout, file);
    change(file);
    expect(await known(layout, file)).toBe(expected);
  });

  it('and then edited at once, with its size and times restored, is not taken for the same', async () => {
    const { layout, file } = await open();
    writeFileSync(file, 'content');
    for (let round = 0; round < 20; round++) {
      // Times that come back exactly when they are set.
      utimesSync(file, 1_700_000_000.5, 1_700_000_000.5);
      await remember(layout, file);
      const before = lstatSync(file);
      editSecretly(file, `edited${round % 10}`);
      expect(lstatSync(file)).toMatchObject({ ino: before.ino, size: 7, mtimeMs: before.mtimeMs });
      expect(await known(layout, file)).toBe('unsure');
    }
  });
});

describe('where several changes may look like one', () => {
  it('a file that was edited as soon as it was verified, with its size and times restored, is not taken for the same', async () => {
    makeClockCoarse(100);
    const { layout, file } = await open();
    for (let round = 0; round < 3; round++) {
      writeFileSync(file, 'content');
      utimesSync(file, 1_700_000_000, 1_700_000_000);
      await remember(layout, file);
      expect(await known(layout, file)).toBe('same');
      editSecretly(file, 'CONTENT');
      expect(await known(layout, file)).toBe('unsure');
    }
  });

  it('nothing is known of a file that was changed in the future, since the clock was set back', async () => {
    const { layout, file } = await open();
    showStats(({ ctimeMs }, path) => (path === file ? { ctimeMs: ctimeMs + 3_600_000 } : {}));
    let now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 500));
    onTestFinished(() => void clock.mockRestore());
    writeFileSync(file, 'content');
    await remember(layout, file);
    expect(await known(layout, file)).toBe('unknown');
  });
});

describe('what is written down', () => {
  it('leaves out what changed since it was verified, or is gone', async () => {
    const { root, layout } = await open();
    const files = ['kept', 'edited', 'gone', 'linked'].map((name) => join(root, name));
    const prints = await openFingerprints(layout, 'p', [HEX]);
    for (const file of files) {
      writeFileSync(file, 'content');
      prints.remember(HEX, file, lstatSync(file));
    }
    const [kept = '', edited = '', gone = '', linked = ''] = files;
    writeFileSync(edited, 'more content');
    rmSync(gone);
    linkSync(linked, `${linked}.2`);
    await prints.flush();
    writeFileSync(gone, 'content');

    expect(await known(layout, kept)).toBe('same');
    expect(await known(layout, edited)).toBe('unknown');
    expect(await known(layout, gone)).toBe('unknown');
    expect(await known(layout, linked)).toBe('same');
  });

  it('adds to what others have written down meanwhile', async () => {
    const { root, layout } = await open();
    const [a, b] = [join(root, 'a'), join(root, 'b')];
    writeFileSync(a, 'content');
    writeFileSync(b, 'other');
    const [one, two] = [await openFingerprints(layout, 'p', [HEX]), await openFingerprints(layout, 'p', [OTHER])];
    one.remember(HEX, a, lstatSync(a));
    two.remember(OTHER, b, lstatSync(b));
    await one.flush();
    await two.flush();
    expect(await known(layout, a)).toBe('same');
    expect(await known(layout, b, OTHER)).toBe('same');
  });

  it('has room for several inodes of one content, the last ones', async () => {
    const { root, layout } = await open();
    const files = Array.from({ length: 10 }, (_, at) => join(root, String(at)));
    for (const file of files) {
      writeFileSync(file, 'content');
      await remember(layout, file);
    }
    const states = await Promise.all(files.map((file) => known(layout, file)));
    expect(states).toEqual([...Array(2).fill('unknown'), ...Array(8).fill('same')]);
  });

  it('is nothing where nothing was noted', async () => {
    const { root, layout } = await open();
    await (await openFingerprints(layout, 'p', [HEX])).flush();
    expect(() => lstatSync(join(root, 'cache'))).toThrow('ENOENT');
  });

  it('is written only if the signal lets it', async () => {
    const { layout, file } = await open();
    writeFileSync(file, 'content');
    const prints = await openFingerprints(layout, 'p', [HEX]);
    prints.remember(HEX, file, lstatSync(file));
    const reason = new Error('enough');
    await expect(prints.flush(AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await known(layout, file)).toBe('unknown');
  });

  it.each(['', '{', `{"${HEX}":[[1,2,3,4,5]]}`, '\0\0\0', 'x'.repeat(64), '\0'.repeat(64)])(
    'is no memory where it is damaged: %j',
    async (damaged) => {
      const { layout, file } = await open();
      writeFileSync(file, 'content');
      const shard = layout.verified('p', HEX.slice(0, 2));
      mkdirSync(dirname(shard), { recursive: true });
      writeFileSync(shard, damaged);
      expect(await known(layout, file)).toBe('unknown');
      await remember(layout, file);
      expect(await known(layout, file)).toBe('same');
    },
  );
});
