import { chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readExactTree } from '../helpers/exact-tree.ts';
import { layOut } from '../helpers/files.ts';
import { layOutFixture } from '../helpers/fixture-tree.ts';
import { killEverywhere } from '../helpers/kill-everywhere.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

const ASSET = { project: 'p', asset: 'a' };
const V1 = { ...ASSET, version: '1' };
const V2 = { ...ASSET, version: '2' };

interface TreeRig extends Rig {
  /** The folder that the versions were made of, as it is in the second one. */
  readonly source: string;
  readonly work: string;
  /** What each entry is in one of the versions: type, content or text, and whether it can be run. */
  readonly known: ReadonlyMap<string, readonly string[]>;
}

/** Two versions with symlinks, empty folders and programs, between which each kind of entry becomes each other one. */
async function createTrees(): Promise<TreeRig> {
  const rig = await createRig({ projects: { p: {} } });
  const source = join(rig.folder, 'source');
  layOutFixture(source, 'test_symlinks');
  layOut(source, {
    'run.sh': 'run',
    'empty/deep': 'folder/',
    'to-link': 'f',
    'to-folder': { link: '..' },
    'to-file': { link: 'run.sh' },
    'folder-to-link/in': 'x',
    'folder-to-file': 'folder/',
  });
  chmodSync(join(source, 'run.sh'), 0o755);
  await rig.client.putTree(ASSET, `${source}/`);
  const first = look(source);
  for (const path of ['to-link', 'to-folder', 'to-file', 'folder-to-link', 'folder-to-file', 'file_link', 'empty']) {
    rmSync(join(source, path), { recursive: true });
  }
  layOut(source, {
    'to-link': { link: 'run.sh' },
    'to-folder/in': { link: '../run.sh' },
    'to-file': 'f',
    'folder-to-link': { link: 'sub' },
    'folder-to-file': 'now',
    file_link: { link: 'sub/readme.md' },
    'new/empty': 'folder/',
  });
  await rig.client.putTree(ASSET, `${source}/`, { delete: true });
  const known = new Map([...first].map(([path, is]) => [path, [is]]));
  for (const [path, is] of look(source)) known.set(path, [...(known.get(path) ?? []), is]);
  return { ...rig, source, work: join(rig.folder, 'work'), known };
}

/** What stands in a folder, of files that links into the cache lead to their content. */
function look(root: string): Map<string, string> {
  return new Map(
    [...readExactTree(root)].map(([path, { type, is, mode }]) => [
      path,
      `${type} ${is}${type === 'file' && /[1357]/.test(mode) ? ', to be run' : ''}`,
    ]),
  );
}

/** Each entry of a folder is whole, of one version or the other. */
function expectWhole({ known, work }: TreeRig, at: number): void {
  if (!existsSync(work)) return;
  for (const [path, is] of look(work)) {
    if (path.includes('..gypsum-')) continue;
    // What stands above an entry of either version is a folder.
    expect([...(known.get(path) ?? []), 'directory '], `${path}, killed at ${at}`).toContain(is);
  }
}

it('a get that is killed anywhere leaves whole entries alone, and is finished by another one', async () => {
  const rig = await createTrees();
  const { client, work, source } = rig;
  await killEverywhere(
    rig,
    ['get', 'p/a/2', work, '--exists', 'overwrite', '--preserve'],
    async () => {
      rmSync(work, { recursive: true, force: true });
      layOut(work, { file_link: { link: 'mine' }, 'run.sh': 'mine' });
    },
    async (at) => {
      rmSync(join(work, 'file_link'), { force: true });
      rmSync(join(work, 'run.sh'), { force: true });
      expectWhole(rig, at);
      await client.getTree(V2, work, { exists: 'overwrite', preserve: true });
      expect(look(work), `killed at ${at}`).toEqual(look(source));
    },
  );
}, 600_000);

it('a put that is killed anywhere has made the whole version or none, and another one makes it', async () => {
  const rig = await createTrees();
  const { client, work, source } = rig;
  let latest = 2;
  await killEverywhere(
    rig,
    ['put', `${work}/`, 'p/a', '--delete'],
    async () => {
      rmSync(work, { recursive: true, force: true });
      await client.getTree(latest % 2 === 0 ? V1 : V2, work, { preserve: true });
      // One content and one text that no version has.
      layOut(work, { mine: `${latest}`, 'to-mine': { link: `mine-${latest}` } });
    },
    async (at) => {
      for (const one of (await client.listUploads()).uploads) await client.resumeUpload(one);
      const { version, published } = await client.putTree(ASSET, `${work}/`, { delete: true });
      latest++;
      expect(version, `killed at ${at}`).toBe(`${latest}`);
      if (published) expect((await client.putTree(ASSET, `${work}/`, { delete: true })).published).toBe(false);
      const copy = join(rig.folder, 'copy');
      await client.getTree(ASSET, copy);
      expect(look(copy), `killed at ${at}`).toEqual(look(work));
      rmSync(copy, { recursive: true });
    },
  );
  expect(look(source).size).toBeGreaterThan(30);
}, 600_000);

it.each(['symlink', 'copy'] as const)(
  'a clone of mode %s that is killed anywhere leaves whole entries alone, and is finished by another one',
  async (mode) => {
    const rig = await createTrees();
    const { client, work, source } = rig;
    await killEverywhere(
      rig,
      ['clone', 'p/a/2', work, '--mode', mode],
      async () => rmSync(work, { recursive: true, force: true }),
      async (at) => {
        if (mode === 'copy') expectWhole(rig, at);
        await client.cloneVersion(V2, work, { mode, merge: true });
        await expectClone(rig, source, at);
      },
    );
  },
  600_000,
);

/** The clone is as its version was, and publishing it would change nothing. */
async function expectClone({ client, work, folder }: TreeRig, source: string, at: number): Promise<void> {
  expect(await client.cloneStatus(work), `killed at ${at}`).toMatchObject({ clean: true, entries: [] });
  const copy = join(folder, 'export');
  await client.exportClone(work, copy);
  expect(look(copy), `killed at ${at}`).toEqual(look(source));
  rmSync(copy, { recursive: true });
}

it.each(['symlink', 'copy'] as const)(
  'a checkout in a clone of mode %s that is killed anywhere keeps what is mine, and is finished by another one',
  async (mode) => {
    const rig = await createTrees();
    const { client, work } = rig;
    const mine = { dir_link: { link: 'mine' }, 'sub/mine': { link: '../mine' } };
    const isMine = () => new Map([...look(work)].filter(([path]) => path in mine));
    await killEverywhere(
      rig,
      ['checkout', 'p/a/2', work],
      async () => {
        rmSync(work, { recursive: true, force: true });
        await client.cloneVersion(V1, work, { mode });
        rmSync(join(work, 'dir_link'));
        layOut(work, mine);
      },
      async (at) => {
        expect(isMine(), `killed at ${at}`).toEqual(
          new Map([
            ['dir_link', 'symlink mine'],
            ['sub/mine', 'symlink ../mine'],
          ]),
        );
        await client.checkoutVersion(V2, work);
        const { entries } = await client.cloneStatus(work);
        expect(
          entries.map(({ path, state }) => `${path} ${state}`),
          `killed at ${at}`,
        ).toEqual(['dir_link retargeted', 'sub/mine added']);
      },
    );
  },
  600_000,
);

it.each(['symlink', 'copy'] as const)(
  'a restore in a clone of mode %s that is killed anywhere is finished by another one',
  async (mode) => {
    const rig = await createTrees();
    const { client, work, source } = rig;
    await killEverywhere(
      rig,
      ['restore', work, '--all', '--force'],
      async () => {
        rmSync(work, { recursive: true, force: true });
        await client.cloneVersion(V2, work, { mode });
        for (const path of ['dir_link', 'file_link', 'to-file', 'run.sh', 'new', 'sub/up']) {
          rmSync(join(work, path), { recursive: true, force: true });
        }
        layOut(work, {
          dir_link: { link: 'mine' },
          file_link: 'mine',
          'run.sh': { link: 'mine' },
        });
      },
      async (at) => {
        await client.restoreFiles([work], { force: true });
        await expectClone(rig, source, at);
      },
    );
  },
  600_000,
);
