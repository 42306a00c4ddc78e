import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backupRegistry } from '../../src/server/backup-registry.ts';
import {
  backupFolder,
  diskStorage,
  type Fault,
  type Problem,
  type Storage,
  verifyFolder,
} from '../../src/server/index.ts';
import { verifyRegistry } from '../../src/server/verify-registry.ts';
import { createRig, type Rig, temporaryFolder } from './rig.ts';

/** A registry with two versions, of which the second has a link, and an upload in progress. */
async function filled(): Promise<Rig> {
  const rig = await createRig();
  await rig.publish('v1', { 'x.txt': 'hello', 'dir/y.txt': 'world' });
  const hello = { size: 5, md5sum: '5d41402abc4b2a76b9719d911017c592' };
  const files = [{ type: 'dedup', path: 'sub/x.txt', ...hello }];
  const answer = await rig.call('POST', '/upload/start/p/a/v2', { token: 'owner', body: { files } });
  const started = (await answer.json()) as { complete_url: string; session_token: string };
  await rig.call('POST', started.complete_url, { token: started.session_token });
  return rig;
}

/** Changes a file as a disk that rots does: its times stay. */
async function damage(file: string, content: string): Promise<void> {
  const { atime, mtime } = await stat(file);
  await writeFile(file, content);
  await utimes(file, atime, mtime);
}

async function verify(data: string) {
  const problems: Problem[] = [];
  const verified = await verifyFolder(data, { onProblem: (problem) => problems.push(problem) });
  return { verified, faults: problems.map(({ key, fault }): [string, Fault] => [key, fault]) };
}

describe('verifying a registry', () => {
  it('finds nothing wrong with one that is whole, also while it is served', async () => {
    const { data, start } = await filled();
    await start('v3', { 'z.txt': 'later' });
    expect(await verify(data)).toEqual({
      verified: { versions: 2, files: 2, bytes: 10, unfinished: [{ project: 'p', asset: 'a', version: 'v3' }] },
      faults: [],
    });
  });

  const damages: readonly [string, (objects: string) => Promise<unknown>, [string, Fault][]][] = [
    ['a changed file', (o) => appendFile(join(o, 'p/a/v1/x.txt'), '!'), [['p/a/v1/x.txt', 'wrong-content']]],
    [
      'a changed file of the same size and times',
      async (o) => {
        const file = join(o, 'p/a/v1/x.txt');
        const { atime, mtime } = await stat(file);
        await writeFile(file, 'HELLO');
        await utimes(file, atime, mtime);
      },
      [['p/a/v1/x.txt', 'wrong-content']],
    ],
    ['a file that is gone', (o) => rm(join(o, 'p/a/v1/dir/y.txt')), [['p/a/v1/dir/y.txt', 'missing']]],
    ['a file too many', (o) => writeFile(join(o, 'p/a/v1/new'), ''), [['p/a/v1/new', 'foreign']]],
    [
      'a manifest that leads out of its folder',
      (o) => writeFile(join(o, 'p/a/v1/..manifest'), '{"../x":{"size":1,"md5sum":"5d41402abc4b2a76b9719d911017c592"}}'),
      [
        ['p/a/v1/..manifest', 'invalid-manifest'],
        ['p/a/v2/sub/x.txt', 'dangling-link'],
      ],
    ],
    [
      'a manifest that is cut off',
      (o) => truncate(join(o, 'p/a/v1/..manifest'), 20),
      [
        ['p/a/v1/..manifest', 'invalid-manifest'],
        ['p/a/v2/sub/x.txt', 'dangling-link'],
      ],
    ],
    [
      'a manifest that is gone',
      (o) => rm(join(o, 'p/a/v1/..manifest')),
      [
        ['p/a/v1/..manifest', 'missing'],
        ['p/a/v2/sub/x.txt', 'dangling-link'],
      ],
    ],
    [
      'a summary that is gone',
      (o) => rm(join(o, 'p/a/v1/..summary')),
      [
        ['p/a/v1/..summary', 'missing'],
        ['p/a/v2/sub/x.txt', 'dangling-link'],
      ],
    ],
    [
      'a summary that is empty',
      (o) => truncate(join(o, 'p/a/v1/..summary')),
      [
        ['p/a/v1/..summary', 'invalid-document'],
        ['p/a/v2/sub/x.txt', 'dangling-link'],
      ],
    ],
    [
      'a summary without a user',
      (o) => writeFile(join(o, 'p/a/v2/..summary'), '{"upload_finish":"2026-01-01T00:00:00Z"}'),
      [['p/a/v2/..summary', 'invalid-document']],
    ],
    [
      'links that are cut off',
      (o) => truncate(join(o, 'p/a/v2/sub/..links'), 5),
      [['p/a/v2/sub/..links', 'stale-document']],
    ],
    ['a latest that is cut off', (o) => truncate(join(o, 'p/a/..latest'), 5), [['p/a/..latest', 'invalid-document']]],
    [
      'a latest that is none',
      (o) => writeFile(join(o, 'p/a/..latest'), 'null'),
      [['p/a/..latest', 'invalid-document']],
    ],
    ['a usage that is cut off', (o) => truncate(join(o, 'p/..usage'), 5), [['p/..usage', 'invalid-document']]],
    ['no usage', (o) => rm(join(o, 'p/..usage')), [['p/..usage', 'missing']]],
    [
      'a quota of no number',
      (o) => writeFile(join(o, 'p/..quota'), '{"baseline":"1"}'),
      [['p/..quota', 'invalid-document']],
    ],
    ['no quota', (o) => rm(join(o, 'p/..quota')), [['p/..quota', 'missing']]],
    [
      'permissions that are cut off',
      (o) => truncate(join(o, 'p/..permissions'), 5),
      [['p/..permissions', 'invalid-document']],
    ],
    ['no permissions', (o) => rm(join(o, 'p/..permissions')), [['p/..permissions', 'missing']]],
    ['a lock that is cut off', (o) => writeFile(join(o, 'p/..LOCK'), '{"a'), [['p/..LOCK', 'invalid-document']]],
    [
      'an entry of the log that is none',
      (o) => writeFile(join(o, '..logs/2026-01-01T00:00:00.000Z_000000'), ''),
      [['..logs/2026-01-01T00:00:00.000Z_000000', 'invalid-document']],
    ],
    [
      'objects where there are none',
      async (o) => {
        for (const name of ['x', '..x', 'p/x', 'p/..x', 'p/a/x', 'p/a/..x']) await writeFile(join(o, name), '');
        for (const name of ['..y', 'p/..y', 'p/a/..y']) {
          await mkdir(join(o, name));
          await writeFile(join(o, name, 'z'), '');
        }
      },
      [
        ['p/a/..x', 'foreign'],
        ['p/a/..y/', 'foreign'],
        ['p/a/x', 'foreign'],
        ['p/..x', 'foreign'],
        ['p/..y/', 'foreign'],
        ['p/x', 'foreign'],
        ['..x', 'foreign'],
        ['..y/', 'foreign'],
        ['x', 'foreign'],
      ],
    ],
    [
      'files of a version that nobody has begun',
      async (o) => {
        await mkdir(join(o, 'p/a/v9'));
        await writeFile(join(o, 'p/a/v9/x'), '');
      },
      [['p/a/v9/..summary', 'missing']],
    ],
    ['links that are gone', (o) => rm(join(o, 'p/a/v2/sub/..links')), [['p/a/v2/sub/..links', 'missing']]],
    [
      'links to elsewhere',
      (o) => writeFile(join(o, 'p/a/v2/sub/..links'), '{"x.txt":{"project":"q"}}'),
      [['p/a/v2/sub/..links', 'stale-document']],
    ],
    [
      'another latest',
      (o) => writeFile(join(o, 'p/a/..latest'), '{"version":"v1"}'),
      [['p/a/..latest', 'stale-document']],
    ],
    ['no latest', (o) => rm(join(o, 'p/a/..latest')), [['p/a/..latest', 'stale-document']]],
    ['another usage', (o) => writeFile(join(o, 'p/..usage'), '{"total":3}'), [['p/..usage', 'stale-document']]],
    [
      'a version that is gone, and is linked to',
      (o) => rm(join(o, 'p/a/v1'), { recursive: true }),
      [
        ['p/a/v2/sub/x.txt', 'dangling-link'],
        ['p/..usage', 'stale-document'],
      ],
    ],
  ];

  it.each(damages)('finds %s', async (_, damage, expected) => {
    const { data } = await filled();
    await damage(join(data, 'objects'));
    expect((await verify(data)).faults).toEqual(expected);
  });

  it('is what a registry asks for that finds a damaged document', async () => {
    const { data, call, errors } = await filled();
    await truncate(join(data, 'objects/p/..permissions'), 5);
    const answer = await call('POST', '/release/p', { token: 'owner' });
    expect([answer.status, await answer.text()]).toEqual([500, expect.stringContaining('p/..permissions')]);
    expect(errors).toMatchObject([{ code: 'wrong-content', hint: expect.stringContaining('gypsum registry verify') }]);
  });

  it('says what is wrong with a folder that holds no registry', async () => {
    await expect(verify(await temporaryFolder())).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('backing a registry up', () => {
  it('copies what is new, leaves out what is not whole, and can be served in its place', async () => {
    const { data, publish, start, call } = await filled();
    const copy = join(await temporaryFolder(), 'copy');
    await start('v3', { 'z.txt': 'later' });
    expect(await backupFolder(data, copy)).toMatchObject({ versions: 2, gone: 0 });
    expect(await backupFolder(data, copy)).toEqual({
      versions: 0,
      objects: 0,
      bytes: 0,
      gone: 0,
      pruned: false,
      problems: [],
    });
    expect((await verify(copy)).faults).toEqual([]);

    await call('POST', '/release/p', { token: 'owner' });
    await publish('v3', { 'z.txt': 'later' });
    // The file, its manifest and summary; the latest, the usage and an entry of the log.
    expect(await backupFolder(data, copy)).toMatchObject({ versions: 1, objects: 6 });
    expect((await verify(copy)).verified).toMatchObject({ versions: 3, unfinished: [] });

    const restored = await createRig({ data: copy });
    expect(await restored.json('p/a/..latest')).toEqual({ version: 'v3' });
    await restored.publish('v4', { 'w.txt': 'more' });
    expect(await restored.json('p/..usage')).toEqual({ total: 19 });
  });

  it('keeps what the registry has not any more, until it is told to let it go', async () => {
    const { data, call } = await filled();
    const copy = await temporaryFolder();
    await backupFolder(data, copy);
    await call('DELETE', '/remove/p/a/v2', { token: 'admin' });
    expect(await backupFolder(data, copy)).toMatchObject({ gone: 3 });
    expect(await readFile(join(copy, 'objects/p/a/v2/..manifest'), 'utf8')).toContain('sub/x.txt');
    await backupFolder(data, copy, { prune: true });
    expect(await verify(copy)).toMatchObject({ verified: { versions: 1 }, faults: [] });
  });

  it('takes a version of the same name for what it is', async () => {
    const { data, call, publish } = await filled();
    const copy = await temporaryFolder();
    await backupFolder(data, copy);
    await call('DELETE', '/remove/p/a/v2', { token: 'admin' });
    await publish('v2', { 'other.txt': 'quite another' });
    await backupFolder(data, copy, { prune: true });
    expect((await verify(copy)).faults).toEqual([]);
    expect(await readFile(join(copy, 'objects/p/a/v2/other.txt'), 'utf8')).toBe('quite another');
  });

  it('copies what is sound, leaves out what is not, and takes that when it is mended', async () => {
    const { data, publish } = await filled();
    await publish('v3', { 'one.txt': 'one', 'two.txt': 'two' });
    await publish('v4', { 'z.txt': 'last' });
    const copy = join(await temporaryFolder(), 'copy');
    const objects = join(data, 'objects');
    const damages: Readonly<Record<string, string>> = {
      'p/a/v1/x.txt': 'HELLO',
      'p/a/v2/..manifest': '{',
      'p/a/v3/..summary': '7',
      'p/..usage': 'x',
    };
    const sound = new Map<string, Buffer>();
    for (const [key, text] of Object.entries(damages)) {
      sound.set(key, await readFile(join(objects, key)));
      await damage(join(objects, key), text);
    }
    await rm(join(objects, 'p/a/v1/dir/y.txt'));
    const { problems } = await backupFolder(data, copy, { prune: true });
    expect(problems.map(({ key, fault }) => [key, fault]).sort()).toEqual([
      ['p/..usage', 'invalid-document'],
      ['p/a/v1/dir/y.txt', 'missing'],
      ['p/a/v1/x.txt', 'wrong-content'],
      ['p/a/v2/..manifest', 'invalid-manifest'],
      ['p/a/v3/..summary', 'invalid-document'],
    ]);
    expect(await verify(copy)).toMatchObject({
      verified: { versions: 1 },
      faults: [['p/a/v1/..summary', 'missing']],
    });

    for (const [key, content] of sound) await writeFile(join(objects, key), content);
    await writeFile(join(objects, 'p/a/v1/dir/y.txt'), 'world');
    expect(await backupFolder(data, copy)).toMatchObject({ versions: 3, problems: [] });
    expect(await verify(copy)).toMatchObject({ verified: { versions: 4 }, faults: [] });
  });

  it('keeps what it has sound of what is damaged since, and removes nothing then', async () => {
    const { data, call } = await filled();
    const copy = join(await temporaryFolder(), 'copy');
    await call('POST', '/create/q', { token: 'admin', body: {} });
    await backupFolder(data, copy);
    await call('DELETE', '/remove/q', { token: 'admin' });
    for (const key of ['p/a/v1/..manifest', 'p/..permissions', 'p/a/..latest'])
      await damage(join(data, 'objects', key), '[');
    await rm(join(data, 'objects/p/a/v2/..summary'));
    const { problems, gone, pruned } = await backupFolder(data, copy, { prune: true });
    expect(problems.map(({ key }) => key)).toEqual(['p/..permissions', 'p/a/v1/..manifest', 'p/a/v2/..summary']);
    expect({ gone, pruned }).toEqual({ gone: 3, pruned: false });
    expect(await verify(copy)).toMatchObject({ verified: { versions: 2 }, faults: [] });
  });

  it('asks before much of a copy is removed, and does nothing if that is not meant', async () => {
    const { data, call } = await filled();
    const copy = join(await temporaryFolder(), 'copy');
    await backupFolder(data, copy);
    const asked: unknown[] = [];
    const confirmPrune = async (of: unknown) => {
      asked.push(of);
      throw new Error('no');
    };
    await call('DELETE', '/remove/p/a/v2', { token: 'admin' });
    expect(await backupFolder(data, copy, { prune: true, confirmPrune })).toMatchObject({ gone: 3, pruned: true });
    await call('DELETE', '/remove/p', { token: 'admin' });
    await expect(backupFolder(data, copy, { prune: true, confirmPrune })).rejects.toThrow('no');
    expect(asked).toEqual([{ gone: 8, objects: 11 }]);
    expect(await verify(copy)).toMatchObject({ verified: { versions: 1 }, faults: [] });
  });

  it.each(['verify', 'backup'])('refuses to %s a registry whose objects are gone, and keeps the copy', async (verb) => {
    const { data, registry } = await filled();
    const copy = join(await temporaryFolder(), 'copy');
    await backupFolder(data, copy);
    await registry.close();
    for (const lose of [() => rm(join(data, 'objects'), { recursive: true }), () => mkdir(join(data, 'objects'))]) {
      await lose();
      const look = verb === 'verify' ? verify(data) : backupFolder(data, copy, { prune: true });
      await expect(look).rejects.toMatchObject({ code: 'unavailable', hint: expect.stringContaining('mounted') });
    }
    expect(await verify(copy)).toMatchObject({ verified: { versions: 2 }, faults: [] });
  });

  it('goes on beside what a disk does not give back', async () => {
    const { data, publish } = await filled();
    await publish('v3', { 'z.txt': 'last' });
    const storage = await diskStorage(data, { readOnly: true });
    const failing: Storage = {
      ...storage,
      async get(key, range) {
        const object = await storage.get(key, range);
        if (object !== undefined && ['p/a/v1/x.txt', 'p/a/v2/..manifest', 'p/..quota'].includes(key)) {
          object.body.destroy(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' }));
        }
        return object;
      },
    };
    const faults = (problems: readonly Problem[]) => problems.map(({ key, fault }) => `${fault} ${key}`).sort();
    const unreadable = ['unreadable p/..quota', 'unreadable p/a/v1/x.txt', 'unreadable p/a/v2/..manifest'];
    const copy = await diskStorage(await temporaryFolder());
    const { problems, versions } = await backupRegistry(failing, copy);
    expect({ faults: faults(problems), versions }).toEqual({ faults: unreadable, versions: 1 });
    const found: Problem[] = [];
    await verifyRegistry(failing, { onProblem: (problem) => found.push(problem) });
    expect(faults(found)).toEqual(unreadable);
  });

  it('refuses a folder that overlaps with the registry, also through links, and makes none there', async () => {
    const { data } = await filled();
    const parent = await temporaryFolder();
    await symlink(data, join(parent, 'link'));
    await symlink(dirname(data), join(parent, 'above'));
    for (const copy of [
      data,
      join(data, 'sub'),
      join(data, 'objects/x'),
      dirname(data),
      join(parent, 'link/sub/sub'),
      join(parent, 'above'),
    ]) {
      await expect(backupFolder(data, copy), copy).rejects.toMatchObject({ code: 'destination-refused' });
    }
    expect(await readdir(data)).not.toContain('sub');
    await backupFolder(join(parent, 'link'), `${data}-backup`);
    await rm(`${data}-backup`, { recursive: true });
  });

  it('refuses a folder with other things in it, the registry itself, and one that is served', async () => {
    const { data } = await filled();
    const copy = await temporaryFolder();
    await mkdir(join(copy, 'photos'));
    await expect(backupFolder(data, copy)).rejects.toMatchObject({ code: 'destination-refused' });
    await expect(backupFolder(data, data)).rejects.toMatchObject({ code: 'destination-refused' });
    const other = await createRig();
    await expect(backupFolder(data, other.data)).rejects.toMatchObject({ code: 'in-use' });
  });

  it('copies secrets for their owner alone', async () => {
    const { data } = await filled();
    const copy = await temporaryFolder();
    await chmod(join(data, 'secret'), 0o600);
    await backupFolder(data, copy);
    expect((await stat(join(copy, 'secret'))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(copy, 'secret'))).toEqual(await readFile(join(data, 'secret')));
  });
});
