import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Client, CloneMode } from '../../src/index.ts';
import { startCli } from '../helpers/cli.ts';
import { type CloneRig, createCloneRig, expectSoundCache, linksTo, V1, V2, VERSIONS } from '../helpers/edits.ts';
import { entriesBelow } from '../helpers/entries-below.ts';

/** A run is killed before each so-manieth change of the file system; every one is worth the time now and then. */
const EVERY = Number(process.env.GYPSUM_KILL_EVERY ?? 7);

const helper = fileURLToPath(new URL('../helpers/die-at-call.mjs', import.meta.url));

/** Runs the built command in a process that is killed before its n-th change of the file system; says whether it was. */
async function dies({ registry, cacheDir, clone }: CloneRig, argv: readonly string[], at: number): Promise<boolean> {
  const settings = { GYPSUM_URL: registry.url, GYPSUM_CACHE_DIR: cacheDir, DIE_AT: `${at}` };
  const { code, stderr } = await startCli(argv, settings, { cwd: clone, node: ['--import', helper] }).end();
  expect(code === 'SIGKILL' || code === 0, stderr).toBe(true);
  return code === 'SIGKILL';
}

type Deed = (client: Client, clone: string) => Promise<unknown>;

interface Verb {
  readonly argv: readonly string[];
  /** Does the same, by the library. */
  readonly finish: Deed;
  /** What is done to the clone before. */
  readonly edit: Deed;
  /** What of the clone is not as in the first version, or the one that is checked out, in the end. */
  readonly result: Readonly<Record<string, string>>;
}

function put(path: string, content: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, content);
}

const stage: Verb = {
  argv: ['stage', 'sub', 'changed'],
  finish: (client, clone) => client.stageFiles(['sub', 'changed'].map((path) => join(clone, path))),
  edit: async () => {},
  result: { changed: 'one', 'sub/x': 'x', 'sub/y': 'y' },
};
const restore: Verb = {
  argv: ['restore', '--all', '--force'],
  finish: (client, clone) => client.restoreFiles([clone], { force: true }),
  async edit(client, clone) {
    await client.stageFiles([join(clone, 'sub')]);
    put(join(clone, 'changed'), 'mine');
    rmSync(join(clone, 'old'), { recursive: true });
  },
  result: {},
};
const checkout: Verb = {
  argv: ['checkout', 'p/a/v2'],
  finish: (client, clone) => client.checkoutVersion(V2, clone),
  edit: async (_, clone) => put(join(clone, 'same'), 'mine'),
  result: { same: 'mine' },
};

it.each<[string, CloneMode, Verb]>([
  ['a stage', 'symlink', stage],
  ['a stage', 'hardlink', stage],
  ['a restore', 'symlink', restore],
  ['a restore', 'hardlink', restore],
  ['a checkout', 'symlink', checkout],
  ['a checkout', 'copy', checkout],
])(
  '%s in a clone of mode %s that is killed anywhere loses nothing, and is finished by another one',
  async (_, mode, { argv, finish, edit, result }) => {
    const rig = await createCloneRig(mode);
    const { client, clone, look, cacheDir } = rig;
    await client.saveVersion(V2);
    const trash = join(cacheDir, '.gypsum-client/1/trash');
    const own = [...Object.values(VERSIONS['p/a/v1']), ...Object.values(VERSIONS['p/a/v2']), 'mine', 'added'];
    const version = argv[0] === 'checkout' ? 'v2' : 'v1';
    const cloned = mode === 'symlink' ? linksTo(version) : VERSIONS[`p/a/${version}`];
    /** What the clone shows under names that a version may hold. */
    const shown = () =>
      Object.entries(look()).flatMap(([path, item]) =>
        item === 'folder/' || path.includes('..gypsum-') ? [] : [readFileSync(join(clone, path), 'utf8')],
      );
    const kept = () =>
      (existsSync(trash) ? entriesBelow(trash) : [])
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    const expectNothingLost = (at: number) => {
      expectSoundCache(rig);
      for (const content of shown()) expect(own, `killed at ${at}`).toContain(content);
      const mine = edit === stage.edit ? ['added'] : ['added', 'mine'];
      expect([...shown(), ...kept()], `killed at ${at}`).toEqual(expect.arrayContaining(mine));
    };

    let [at, isKilled] = [0, true];
    for (; isKilled; at += EVERY) {
      rmSync(clone, { recursive: true });
      rmSync(trash, { recursive: true, force: true });
      await client.cloneVersion(V1, clone, { mode });
      put(join(clone, 'added'), 'added');
      await edit(client, clone);
      isKilled = await dies(rig, argv, at);
      expectNothingLost(at);
      if (isKilled) await finish(client, clone);
      expectNothingLost(at);
      expect(look(), `killed at ${at}`).toEqual({ ...cloned, ...result, added: 'added' });
    }
    expect(at).toBeGreaterThan(2 * EVERY);
  },
  600_000,
);
