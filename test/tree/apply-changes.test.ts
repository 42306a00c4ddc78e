import { createHash } from 'node:crypto';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { GypsumError } from '../../src/errors.ts';
import { fingerprintOf } from '../../src/model/fingerprint.ts';
import { applyChanges } from '../../src/tree/apply-changes.ts';
import { type PutFile, putFile } from '../../src/tree/put-file.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import type { Before, FileOf, Step } from '../../src/tree/step.ts';
import { aroundCalls } from '../helpers/around-calls.ts';
import { layOut } from '../helpers/files.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const seenAt = (path: string) => fingerprintOf(lstatSync(path));
const link = (target: string) => ({ type: 'symlink', target }) as const;
const copyOf = (source: string, permissions?: number): FileOf => {
  const content = readFileSync(source);
  const digest = { algorithm: 'md5', hex: createHash('md5').update(content).digest('hex') } as const;
  const size = content.length;
  return { type: 'file', mode: 'copy', source, size, digest, ...(permissions !== undefined && { permissions }) };
};

/** A folder, and beside it what its links may lead to. */
async function setup() {
  const top = await tempFolder();
  const root = join(top, 'folder');
  layOut(top, { 'cache/x': 'cached', 'cache/y': 'another' });
  layOut(root, { staged: 'cached', linked: { link: '../cache/x' }, 'sub/mine': 'text', empty: 'folder/' });
  const file = (path: string): Before => ({ type: 'file', seen: seenAt(join(root, path)) });
  return { top, root, file, cached: join(top, 'cache/x') };
}

const replaceStaged = (make: (path: string) => void) => (root: string) => {
  rmSync(join(root, 'staged'));
  make(join(root, 'staged'));
};

describe('a change', () => {
  it('makes a file of a link, a link of a file, and takes away', async () => {
    const { root, file, cached } = await setup();
    const steps: Step[] = [
      { path: 'linked', before: link('../cache/x'), after: copyOf(cached, 0o777) },
      { path: 'staged', before: file('staged'), after: { ...link(cached), seen: seenAt(cached) } },
      { path: 'sub/mine', before: file('sub/mine') },
      { path: 'sub', before: { type: 'directory' } },
      { path: 'new', after: { type: 'directory' } },
      { path: 'new/link', after: link('/no/where') },
    ];
    expect(await applyChanges(root, steps)).toMatchObject({ done: 6, there: 0 });
    expect(await scanFolder(root)).toEqual([
      { type: 'directory', path: 'empty' },
      { type: 'file', path: 'linked', size: 6 },
      { type: 'directory', path: 'new' },
      { type: 'symlink', path: 'new/link', target: '/no/where' },
      { type: 'symlink', path: 'staged', target: cached },
    ]);
    expect(statSync(join(root, 'linked')).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(readFileSync(cached, 'utf8')).toBe('cached');

    // The same plan once more finds all of it done.
    expect(await applyChanges(root, steps)).toMatchObject({ done: 0, there: 6 });
  });

  it('leaves nothing beside a hard link in the place of another one to the same file', async () => {
    const { root, cached } = await setup();
    const after = { ...copyOf(cached), mode: 'hardlink' } as const;
    await applyChanges(root, [{ path: 'hard', after }]);
    const again: Step = { path: 'hard', before: { type: 'file', seen: seenAt(join(root, 'hard')) }, after };
    expect(await applyChanges(root, [again])).toMatchObject({ done: 1, there: 0 });
    expect((await scanFolder(root)).map(({ path }) => path)).toEqual([
      'empty',
      'hard',
      'linked',
      'staged',
      'sub',
      'sub/mine',
    ]);
    expect(statSync(join(root, 'hard')).ino).toBe(statSync(cached).ino);
  });

  it.each<[string, (root: string) => void]>([
    ['was written to', (root) => writeFileSync(join(root, 'staged'), 'CACHED')],
    ['became longer', (root) => writeFileSync(join(root, 'staged'), 'cached!')],
    ['is a symlink', replaceStaged((path) => symlinkSync('/elsewhere', path))],
    ['is a folder', replaceStaged(mkdirSync)],
    ['is gone', (root) => rmSync(join(root, 'staged'))],
  ])('stops at what %s, and says what is done and what is left', async (_what, meddle) => {
    const { root, file, cached } = await setup();
    const steps: Step[] = [
      { path: 'linked', before: link('../cache/x'), after: copyOf(cached) },
      { path: 'staged', before: file('staged'), after: link(cached) },
      { path: 'sub/mine', before: file('sub/mine') },
    ];
    meddle(root);
    const before = (await scanFolder(root)).filter(({ path }) => path !== 'linked');
    await expect(applyChanges(root, steps)).rejects.toMatchObject({
      code: 'file-changed',
      message: expect.stringMatching(/staged is not what it was when this was planned\. 1 of 3 changes are done\.$/),
      details: { path: 'staged', done: ['linked'], left: ['staged', 'sub/mine'] },
    });
    expect((await scanFolder(root)).filter(({ path }) => path !== 'linked')).toEqual(before);
  });

  it('leaves a file of the same size that was made meanwhile, and a folder that was filled', async () => {
    const { root, cached } = await setup();
    writeFileSync(join(root, 'staged'), 'CACHED');
    for (const step of [
      { path: 'staged', after: copyOf(cached) },
      { path: 'sub', before: { type: 'directory' } },
    ] satisfies Step[]) {
      await expect(applyChanges(root, [step])).rejects.toMatchObject({ code: 'file-changed' });
    }
    expect(readFileSync(join(root, 'staged'), 'utf8')).toBe('CACHED');
  });

  it('that is aborted is no failure of it', async () => {
    const { root, cached } = await setup();
    const stop = new AbortController();
    const reason = new Error('enough');
    const copy = async () => {
      stop.abort(reason);
      throw new Error('cut off');
    };
    const steps: Step[] = [{ path: 'new', after: copyOf(cached) }];
    const failed: Step[] = [];
    const onFailure = (step: Step) => void failed.push(step);
    const going = applyChanges(root, steps, { put: { ...putFile, copy }, signal: stop.signal, onFailure });
    await expect(going).rejects.toBe(reason);
    expect(failed).toEqual([]);
  });

  it.each<[string, Step]>([
    ['another link', { path: 'linked', before: link('/somewhere'), after: link('/other') }],
    ['a file that was made meanwhile', { path: 'staged', after: link('/other') }],
    ['a folder that is not empty', { path: 'sub', before: { type: 'directory' } }],
    ['a file in the place of a folder', { path: 'staged/x', after: link('/other') }],
  ])('leaves %s alone', async (_what, step) => {
    const { root } = await setup();
    const before = await scanFolder(root);
    await expect(applyChanges(root, [step])).rejects.toThrow();
    expect(await scanFolder(root)).toEqual(before);
  });

  it('makes no link to what is not the file any more that it was compared with', async () => {
    const { root, file, cached } = await setup();
    const step: Step = { path: 'staged', before: file('staged'), after: { ...link(cached), seen: seenAt(cached) } };
    renameSync(cached, `${cached}.old`);
    writeFileSync(cached, 'cached');
    await expect(applyChanges(root, [step])).rejects.toMatchObject({ code: 'file-changed' });
    expect(readFileSync(join(root, 'staged'), 'utf8')).toBe('cached');
    expect(lstatSync(join(root, 'staged')).isFile()).toBe(true);
  });

  it('makes no file of content that is not what it must be', async () => {
    const { root, cached } = await setup();
    const step: Step = { path: 'linked', before: link('../cache/x'), after: copyOf(cached) };
    writeFileSync(cached, 'CACHED');
    await expect(applyChanges(root, [step])).rejects.toMatchObject({ code: 'wrong-content' });
    expect(readlinkSync(join(root, 'linked'))).toBe('../cache/x');
    expect((await scanFolder(root)).map(({ path }) => path)).toEqual(['empty', 'linked', 'staged', 'sub', 'sub/mine']);
  });

  it('goes through no symlink that stands on its way', async () => {
    const { top, root, file } = await setup();
    const step: Step = { path: 'sub/mine', before: file('sub/mine'), after: link('/elsewhere') };
    renameSync(join(root, 'sub'), join(top, 'outside'));
    symlinkSync(join(top, 'outside'), join(root, 'sub'));
    await expect(applyChanges(root, [step, { path: 'sub/new', after: link('/x') }])).rejects.toMatchObject({
      code: 'file-changed',
      message: expect.stringMatching(/sub is a symlink by now/),
    });
    expect(await scanFolder(join(top, 'outside'))).toEqual([{ type: 'file', path: 'mine', size: 4 }]);
  });

  it('keeps what stood there, if it is asked to', async () => {
    const { top, root, file, cached } = await setup();
    const keep = (place: string, path: string) => renameSync(place, join(top, path.replace('/', '-')));
    const steps: Step[] = [
      { path: 'staged', before: file('staged'), after: link(cached), keep: true },
      { path: 'linked', before: link('../cache/x'), after: link(cached) },
    ];
    expect(await applyChanges(root, steps, { keep })).toMatchObject({ done: 2, there: 0 });
    expect(readFileSync(join(top, 'staged'), 'utf8')).toBe('cached');
    expect(readlinkSync(join(root, 'staged'))).toBe(cached);
  });

  it('keeps also what it takes away, and takes nothing away that nobody keeps', async () => {
    const { top, root, file } = await setup();
    const step: Step = { path: 'staged', before: file('staged'), keep: true };
    await expect(applyChanges(root, [step])).rejects.toThrow('nowhere to keep');
    expect(readFileSync(join(root, 'staged'), 'utf8')).toBe('cached');
    const keep = (place: string) => writeFileSync(join(top, 'kept'), readFileSync(place));
    expect(await applyChanges(root, [step], { keep })).toMatchObject({ done: 1, there: 0 });
    expect(readFileSync(join(top, 'kept'), 'utf8')).toBe('cached');
    expect(lstatSync(join(root, 'staged'), { throwIfNoEntry: false })).toBeUndefined();
  });

  it('goes on where a folder has become a file, or its place lies behind a symlink by now', async () => {
    const { top, root, file, cached } = await setup();
    const steps: Step[] = [
      { path: 'sub/mine', before: file('sub/mine') },
      { path: 'sub', before: { type: 'directory' } },
      { path: 'sub', after: copyOf(cached) },
      { path: 'empty', before: { type: 'directory' } },
      { path: 'empty', after: link(top) },
      { path: 'empty/gone', before: link('/x') },
    ];
    const done = steps.slice(0, -1);
    expect(await applyChanges(root, done)).toMatchObject({ done: 5, there: 0 });
    expect(await applyChanges(root, steps)).toMatchObject({ done: 0, there: 6 });
    expect(readFileSync(join(root, 'sub'), 'utf8')).toBe('cached');
    expect(readlinkSync(join(root, 'empty'))).toBe(top);
  });

  it('takes away each of two names of a file', async () => {
    const { root, file } = await setup();
    linkSync(join(root, 'staged'), join(root, 'other'));
    const steps: Step[] = ['staged', 'other'].map((path) => ({ path, before: file(path) }));
    expect(await applyChanges(root, steps)).toMatchObject({ done: 2, there: 0 });
  });

  it('takes a new name of a shared file for no change of it, and what was written for one', async () => {
    const { root, file, cached } = await setup();
    const before = { ...file('staged'), shared: true } as Before;
    await vi.waitFor(() => {
      linkSync(join(root, 'staged'), join(root, 'other'));
      rmSync(join(root, 'other'));
      expect(before).not.toMatchObject({ seen: seenAt(join(root, 'staged')) });
    });
    expect(await applyChanges(root, [{ path: 'staged', before, after: link(cached) }])).toMatchObject({ done: 1 });
    writeFileSync(join(root, 'other'), 'cached');
    const shared = { ...file('other'), shared: true } as Before;
    writeFileSync(join(root, 'other'), 'changed');
    const step: Step = { path: 'other', before: shared, after: link(cached) };
    await expect(applyChanges(root, [step])).rejects.toMatchObject({ code: 'file-changed' });
  });

  it('leaves what is written to while its successor is made', async () => {
    const { root, file, cached } = await setup();
    const step: Step = { path: 'staged', before: file('staged'), after: copyOf(cached) };
    const copy: PutFile['copy'] = async (...args) => {
      writeFileSync(join(root, 'staged'), 'written');
      await putFile.copy(...args);
    };
    await expect(applyChanges(root, [step], { put: { ...putFile, copy } })).rejects.toMatchObject({
      code: 'file-changed',
    });
    expect(readFileSync(join(root, 'staged'), 'utf8')).toBe('written');
    expect(readdirSync(root).toSorted()).toEqual(['empty', 'linked', 'staged', 'sub']);
  });

  it.each<[string, Step]>([
    ['nothing', { path: 'x' }],
    ['a file of a folder', { path: 'empty', before: { type: 'directory' }, after: link('/x') }],
    ['a folder of a file', { path: 'linked', before: link('../cache/x'), after: { type: 'directory' } }],
  ])('never makes %s', async (_what, step) => {
    const { root } = await setup();
    await expect(applyChanges(root, [step])).rejects.toThrow(step.path);
    expect(readdirSync(root).toSorted()).toEqual(['empty', 'linked', 'staged', 'sub']);
  });

  it('that fails is told, and the rest goes on, if somebody hears of it', async () => {
    const { root, file, cached } = await setup();
    const steps: Step[] = [
      { path: 'nowhere/x', after: link('/x') },
      { path: 'staged', before: { type: 'file', seen: [0, 0, 0, 0, 0] }, after: link('/x') },
      { path: 'sub/mine', before: file('sub/mine'), after: copyOf(cached) },
    ];
    const failed: string[] = [];
    const onFailure = ({ path }: Step, error: Error) =>
      void failed.push(`${path}: ${error instanceof GypsumError ? error.code : (error as NodeJS.ErrnoException).code}`);
    expect(await applyChanges(root, steps, { onFailure })).toMatchObject({ done: 1, there: 0 });
    expect(failed).toEqual(['nowhere/x: ENOENT', 'staged: file-changed']);
    expect(readFileSync(join(root, 'sub/mine'), 'utf8')).toBe('cached');
  });

  it('takes another name of a file for no change of it', async () => {
    const { root, file, cached } = await setup();
    await applyChanges(root, [
      { path: 'other', after: { ...copyOf(join(root, 'staged')), mode: 'hardlink', source: join(root, 'staged') } },
    ]);
    const steps: Step[] = ['staged', 'other'].map((path) => ({ path, before: file(path), after: link(cached) }));
    expect(await applyChanges(root, steps)).toMatchObject({ done: 2, there: 0 });
  });

  it('sees an edit that has kept the size and the time', async () => {
    const { root, file, cached } = await setup();
    // A time that can be set again exactly.
    utimesSync(join(root, 'staged'), 1e9, 1e9);
    const step: Step = { path: 'staged', before: file('staged'), after: link(cached) };
    await vi.waitFor(() => {
      writeFileSync(join(root, 'staged'), 'CACHED');
      utimesSync(join(root, 'staged'), 1e9, 1e9);
      expect(seenAt(join(root, 'staged'))[4]).not.toBe(step.before?.type === 'file' && step.before.seen[4]);
    });
    await expect(applyChanges(root, [step])).rejects.toMatchObject({ code: 'file-changed' });
    expect(readFileSync(join(root, 'staged'), 'utf8')).toBe('CACHED');
  });

  it('copies where the planned way is refused, if it may', async () => {
    const { root, cached } = await setup();
    const refused = () => {
      throw Object.assign(new Error('no'), { code: 'EXDEV' });
    };
    const put = { ...putFile, reflink: refused };
    const step: Step = {
      path: 'linked',
      before: link('../cache/x'),
      after: { ...copyOf(cached), mode: 'reflink' },
    };
    await expect(applyChanges(root, [step], { put })).rejects.toMatchObject({ code: 'destination-refused' });
    expect(await applyChanges(root, [step], { put, orCopy: true, durable: true })).toMatchObject({ done: 1, there: 0 });
    expect(readFileSync(join(root, 'linked'), 'utf8')).toBe('cached');
  });

  it('shares the bytes of no other file once that is refused, and copies', async () => {
    const { root, cached } = await setup();
    const reflink = vi.fn(() => {
      throw Object.assign(new Error('no'), { code: 'EXDEV' });
    });
    const steps: Step[] = ['a', 'b', 'c'].map((path) => ({ path, after: { ...copyOf(cached), mode: 'reflink' } }));
    const put = { ...putFile, reflink };
    expect(await applyChanges(root, steps, { put, orCopy: true })).toMatchObject({ done: 3 });
    expect(reflink).toHaveBeenCalledTimes(1);
    expect(readFileSync(join(root, 'c'), 'utf8')).toBe('cached');
  });

  it('is the last one when the signal is aborted, and what is done stays', async () => {
    const { root } = await setup();
    const stop = new AbortController();
    const reason = new Error('enough');
    const put = {
      ...putFile,
      symlink(source: string, path: string) {
        putFile.symlink(source, path);
        stop.abort(reason);
      },
    };
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 1_000));
    try {
      const steps: Step[] = ['a', 'b'].map((path) => ({ path, after: link('/x') }));
      await expect(applyChanges(root, steps, { put, signal: stop.signal })).rejects.toBe(reason);
    } finally {
      clock.mockRestore();
    }
    expect(readlinkSync(join(root, 'a'))).toBe('/x');
    expect(lstatSync(join(root, 'b'), { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe('files that are to be on the disk', () => {
  const ours = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('..gypsum-'));
  const names = ['a', 'b', 'c'];

  async function setupLinks() {
    const { root, cached } = await setup();
    for (const name of names) symlinkSync(cached, join(root, name));
    const steps = names.map((path): Step => ({ path, before: link(cached), after: copyOf(cached) }));
    const events: string[] = [];
    aroundCalls({
      fsync: (call, file, done) =>
        call(file, (error) => {
          events.push('sync');
          done(error);
        }),
      fsyncSync(call, file) {
        events.push('sync one');
        call(file);
      },
      renameSync(call, from, to) {
        events.push(`put ${basename(String(to))}`);
        call(from, to);
      },
    });
    return { root, cached, steps, events };
  }

  it('are all there before the first of them takes its place', async () => {
    const { root, steps, events } = await setupLinks();
    expect(await applyChanges(root, steps, { durable: true })).toMatchObject({ done: 3, there: 0 });
    expect(events).toEqual(['sync', 'sync', 'sync', 'put a', 'put b', 'put c']);
    expect(await applyChanges(root, steps, { durable: true })).toMatchObject({ done: 0, there: 3 });
    expect(events).toHaveLength(6);
    expect(ours(root)).toEqual([]);
  });

  it('go on in a group of their own behind one that cannot be made', async () => {
    const { root, cached, steps, events } = await setupLinks();
    writeFileSync(`${cached}-other`, 'CACHED');
    steps[1] = { ...steps[1], path: 'b', after: { ...copyOf(cached), source: `${cached}-other` } };
    const failed: string[] = [];
    const onFailure = ({ path }: Step) => failed.push(path);
    expect(await applyChanges(root, steps, { durable: true, onFailure })).toMatchObject({ done: 2 });
    expect(failed).toEqual(['b']);
    expect(events).toEqual(['sync', 'put a', 'sync', 'put c']);
    expect(readlinkSync(join(root, 'b'))).toBe(cached);
    expect(ours(root)).toEqual([]);
  });

  it('are made once more, and put there, where one could not be synced', async () => {
    const { root, steps, events } = await setupLinks();
    let calls = 0;
    aroundCalls({
      fsync: (call, file, done) =>
        ++calls === 2 ? done(Object.assign(new Error('EIO'), { code: 'EIO', syscall: 'fsync' })) : call(file, done),
    });
    expect(await applyChanges(root, steps, { durable: true })).toMatchObject({ done: 3 });
    expect(events).toEqual(['put a', 'sync one', 'put b', 'put c']);
    expect(names.map((name) => readFileSync(join(root, name), 'utf8'))).toEqual(['cached', 'cached', 'cached']);
    expect(ours(root)).toEqual([]);
  });

  it.each([
    ['made', 'open'],
    ['synced', 'fsync'],
  ])('leave nothing when it ends while they are %s', async (_what, when) => {
    const { root, cached, steps } = await setupLinks();
    const stop = new AbortController();
    const reason = new Error('enough');
    const put: PutFile = {
      ...putFile,
      async copy(...args) {
        await putFile.copy(...args);
        if (when === 'open') stop.abort(reason);
      },
    };
    aroundCalls({
      fsync(call, file, done) {
        stop.abort(reason);
        call(file, done);
      },
    });
    await expect(applyChanges(root, steps, { put, durable: true, signal: stop.signal })).rejects.toBe(reason);
    expect(names.map((name) => readlinkSync(join(root, name)))).toEqual([cached, cached, cached]);
    expect(ours(root)).toEqual([]);
  });

  it('are not put through a folder that has become a symlink meanwhile', async () => {
    const { top, root, cached } = await setup();
    symlinkSync(cached, join(root, 'sub/a'));
    const steps: Step[] = [{ path: 'sub/a', before: link(cached), after: copyOf(cached) }];
    layOut(top, { 'else/a': { link: cached } });
    aroundCalls({
      // However long it takes to look at a folder, it is looked at again.
      lstatSync(call, path, ...options) {
        for (const end = performance.now() + 30; String(path).endsWith('/sub') && performance.now() < end; );
        return call(path, ...(options as []));
      },
      fsync(call, file, done) {
        renameSync(join(root, 'sub'), join(root, 'moved'));
        symlinkSync(join(top, 'else'), join(root, 'sub'));
        call(file, done);
      },
    });
    await expect(applyChanges(root, steps, { durable: true })).rejects.toMatchObject({ code: 'file-changed' });
    expect(readlinkSync(join(top, 'else/a'))).toBe(cached);
    expect(readdirSync(join(top, 'else'))).toEqual(['a']);
  });
});
