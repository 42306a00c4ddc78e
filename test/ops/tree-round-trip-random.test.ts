import {
  chmodSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CloneMode } from '../../src/index.ts';
import { meantMode } from '../../src/model/modes.ts';
import { type ExactEntry, readExactTree } from '../helpers/exact-tree.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

/** How many folders are tried; more are worth the time now and then. */
const RUNS = Number(process.env.GYPSUM_MODEL_RUNS ?? 8);
/** What is random follows from it; a failure names it. */
const SEED = Number(process.env.GYPSUM_MODEL_SEED ?? Date.now() % 2 ** 31);

/** Few, so that one comes twice, and each of another kind. */
const name = fc.constantFrom('a', 'b', 'a.b', 'a!', 'é', 'sp ace', 'new\nline', '-d', '.h', '%2F', '__proto__', '💾');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const content = fc.constantFrom('', 'one', 'two', 'longer than that');
const usual = fc.constantFrom(0o644, 0o755);
/** Not those that differ in what an umask takes or a cache gives: nobody has meant that. */
const fileMode = fc.oneof(usual, fc.constantFrom(0o600, 0o640, 0o711));
/** Those into which nobody may write have a test of their own. */
const folderMode = fc.constantFrom(0o755, 0o755, 0o700, 0o750, 0o711);
const time = fc.nat({ max: 2 ** 31 }).map((seconds) => seconds + 0.123456);
const odd = fc.constantFrom(
  '.',
  '..',
  './a',
  'a/',
  '../a/../b',
  '//a',
  '../../../../../..',
  'back\\slash',
  'a\nb',
  '\u0001',
  'nothing\u{1f4be}',
  'x'.repeat(300),
);
const target = fc.oneof(
  { weight: 3, arbitrary: path },
  path.map((at) => `../${at}`),
  path.map((at) => `/${at}`),
  odd,
  fc.uint8Array({ minLength: 1, maxLength: 8 }).map((bytes) => Buffer.from(bytes.map((byte) => byte || 0xff))),
);

const is = <T extends string>(type: T) => fc.constant(type);
const which = fc.nat({ max: 1000 });
const symlink = { weight: 3, arbitrary: fc.record({ type: is('symlink'), path, target, time }) };
const rename = fc.record({ type: is('rename'), which, path });
const removal = fc.record({ type: is('delete'), which });
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: is('file'), path, content, mode: fileMode, time }) },
  symlink,
  fc.record({ type: is('absolute'), path, to: path }),
  fc.record({ type: is('folder'), path, mode: folderMode, time }),
  fc.record({ type: is('mode'), which, fileMode, folderMode }),
  fc.record({ type: is('time'), which, time }),
  rename,
  removal,
);
/** What means the same in a folder and in a clone, which cannot have every mode. */
const plainAction = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: is('file'), path, content, mode: usual, time }) },
  symlink,
  fc.record({ type: is('folder'), path, mode: fc.constant(0o755), time }),
  rename,
  removal,
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;
type Tree = ReadonlyMap<string, ExactEntry>;

/** Gives the place of a path for a new entry, in the place of what was there and of what is no folder above. */
function clear(root: string, at: string): string {
  const parts = at.split('/');
  for (const end of parts.slice(1).keys()) {
    const above = join(root, ...parts.slice(0, end + 1));
    const stats = lstatSync(above, { throwIfNoEntry: false });
    if (stats?.isDirectory() === false) rmSync(above);
  }
  const place = join(root, at);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(dirname(place), { recursive: true });
  return place;
}

function* pathsIn(root: string, folder = ''): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const at = folder === '' ? entry.name : `${folder}/${entry.name}`;
    yield at;
    if (entry.isDirectory()) yield* pathsIn(root, at);
  }
}

/** Does what somebody does to a folder. */
function edit(root: string, one: Action): void {
  const paths = [...pathsIn(root)].sort();
  const chosen = 'which' in one ? paths[one.which % paths.length] : undefined;
  if (one.type === 'file') {
    const place = clear(root, one.path);
    writeFileSync(place, one.content);
    chmodSync(place, one.mode);
    lutimesSync(place, one.time, one.time);
  } else if (one.type === 'symlink') {
    const place = clear(root, one.path);
    symlinkSync(one.target, place);
    lutimesSync(place, one.time, one.time);
  } else if (one.type === 'absolute') symlinkSync(join(root, one.to), clear(root, one.path));
  else if (one.type === 'folder') {
    const place = clear(root, one.path);
    mkdirSync(place);
    chmodSync(place, one.mode);
    lutimesSync(place, one.time, one.time);
  } else if (chosen !== undefined) {
    const place = join(root, chosen);
    const stats = lstatSync(place);
    if (one.type === 'mode' && stats.isDirectory()) chmodSync(place, one.folderMode);
    else if (one.type === 'mode' && stats.isFile()) chmodSync(place, one.fileMode);
    else if (one.type === 'time') lutimesSync(place, one.time, one.time);
    else if (one.type === 'delete') rmSync(place, { recursive: true });
    else if (one.type === 'rename' && !`${one.path}/`.startsWith(`${chosen}/`)) {
      const aside = join(root, '..', 'aside');
      renameSync(place, aside);
      renameSync(aside, clear(root, one.path));
    }
  }
}

const timeless = (tree: Tree) => new Map([...tree].map(([at, { mtime: _, ...entry }]) => [at, entry]));
/** Without permissions but for those to run a file. */
const shape = (tree: Tree) =>
  new Map(
    [...tree].map(([at, { type, is: text, mode }]) => [at, [type, text, type === 'file' && /[1357]/.test(mode)]]),
  );

/** Has what nobody has said anew of permissions be as it was: 0644 and 0755 say what may be run, and nothing else. */
function asMeant(now: Tree, before: Tree): Tree {
  const meant = (at: string, entry: ExactEntry) => {
    const was = before.get(at);
    if (entry.type === 'symlink' || was?.type !== entry.type) return entry;
    const permitted = { type: entry.type, mode: Number.parseInt(was.mode, 8) };
    return { ...entry, mode: (meantMode(Number.parseInt(entry.mode, 8), permitted) ?? 0).toString(8) };
  };
  return new Map([...now].map(([at, entry]) => [at, meant(at, entry)]));
}

function differences(before: Tree, after: Tree): Map<string, string> {
  const [was, now] = [timeless(before), timeless(after)];
  const found = new Map<string, string>();
  for (const at of new Set([...was.keys(), ...now.keys()])) {
    const [a, b] = [was.get(at), now.get(at)];
    const sign = a === undefined ? '+' : b === undefined ? '-' : JSON.stringify(a) === JSON.stringify(b) ? '' : '*';
    if (sign !== '') found.set(at, sign);
  }
  return found;
}

/** Has each run work in a folder and on an asset of its own. */
function createWorlds(rig: Rig) {
  let run = 0;
  return () => {
    const asset = `a${++run}`;
    const home = join(rig.folder, asset);
    const source = join(home, 'source');
    mkdirSync(source, { recursive: true });
    return { ref: { project: 'p', asset }, home, source };
  };
}

it('a folder that is put is the version, and what is said to have changed is what has', async () => {
  const rig = await createRig({ projects: { p: {} } });
  const { client } = rig;
  const createWorld = createWorlds(rig);
  const check = async (steps: readonly (readonly Action[])[]) => {
    const { ref, home, source } = createWorld();
    let before: Tree = new Map();
    let version = 0;
    for (const [at, actions] of steps.entries()) {
      for (const one of actions) edit(source, one);
      const now = asMeant(readExactTree(source), before);
      const changed = differences(before, now);
      const isNew = version === 0 || changed.size > 0;
      if (isNew) version++;
      const result = await client.putTree(ref, `${source}/`, { delete: true });
      expect(new Map(result.changes.map(({ path: one, sign }) => [one, sign]))).toEqual(changed);
      expect(result).toMatchObject({ version: `${version}`, published: isNew, unchanged: !isNew });
      expect(await client.putTree(ref, `${source}/`, { delete: true })).toMatchObject({
        version: `${version}`,
        published: false,
        changes: [],
      });

      const copy = join(home, `copy-${at}`);
      await client.getTree(ref, copy);
      expect(shape(readExactTree(copy))).toEqual(shape(now));
      const same = join(home, `same-${at}`);
      await client.getTree(ref, same, { preserve: true });
      const got = readExactTree(same);
      expect(timeless(got)).toEqual(timeless(now));
      // Times alone make no record, and no version.
      const hasRecord = '.gypsum-tree.json' in (await client.fetchManifest({ ...ref, version: `${version}` }));
      if (isNew && hasRecord) expect(timesOf(got)).toEqual(timesOf(now));
      before = now;
    }
  };
  const steps = fc.array(fc.array(action, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 });
  await fc.assert(fc.asyncProperty(steps, check), { numRuns: RUNS, seed: SEED });
}, 600_000);

function timesOf(tree: Tree) {
  return Object.fromEntries([...tree].map(([at, { mtime }]) => [at, mtime]));
}

it('a folder that is published with a record, and cloned, is unchanged however it is published again', async () => {
  const rig = await createRig({ projects: { p: {} } });
  const { client } = rig;
  const createWorld = createWorlds(rig);
  const check = async (actions: readonly Action[], mode: CloneMode) => {
    const { ref, home, source } = createWorld();
    for (const one of actions) edit(source, one);
    const now = readExactTree(source);
    await client.uploadDirectory({ ...ref, version: '1' }, source, { symlinks: 'keep' });
    expect(await client.putTree(ref, `${source}/`, { delete: true })).toMatchObject({ changes: [], unchanged: true });

    const clone = join(home, 'clone');
    await client.cloneVersion({ ...ref, version: '1' }, clone, { mode });
    expect(await client.cloneStatus(clone)).toMatchObject({ clean: true, entries: [] });
    expect(await client.putTree(ref, `${clone}/`, { delete: true })).toMatchObject({ changes: [], unchanged: true });
    const again = await client.uploadDirectory({ ...ref, version: '2' }, clone, { ifChanged: true });
    expect(again).toMatchObject({ published: false });

    const copy = join(home, 'export');
    await client.exportClone(clone, copy);
    expect(timeless(readExactTree(copy))).toEqual(timeless(now));
  };
  const modes = fc.constantFrom<CloneMode[]>('symlink', 'hardlink', 'copy');
  const actions = fc.array(action, { minLength: 1, maxLength: 12 });
  await fc.assert(fc.asyncProperty(actions, modes, check), { numRuns: RUNS, seed: SEED });
}, 600_000);

it('what is changed in a clone is published as what is changed in the folder', async () => {
  const rig = await createRig({ projects: { p: {} } });
  const { client } = rig;
  const createWorld = createWorlds(rig);
  const check = async (first: readonly Action[], then: readonly Action[], mode: CloneMode, put: boolean) => {
    const { ref, home, source } = createWorld();
    for (const one of first) edit(source, one);
    await client.putTree(ref, `${source}/`);
    const clone = join(home, 'clone');
    await client.cloneVersion({ ...ref, version: '1' }, clone, { mode, download: mode !== 'symlink' || put });
    for (const one of then) {
      edit(source, one);
      edit(clone, one);
    }
    if (put) await client.putTree(ref, `${clone}/`, { delete: true });
    else await client.uploadDirectory({ ...ref, version: '2' }, clone, { ifChanged: true, symlinks: 'keep' });
    expect(await client.putTree(ref, `${source}/`, { delete: true })).toMatchObject({ changes: [], unchanged: true });
  };
  const modes = fc.constantFrom<CloneMode[]>('symlink', 'hardlink', 'copy');
  const property = fc.asyncProperty(
    fc.array(plainAction, { maxLength: 12 }),
    fc.array(plainAction, { minLength: 1, maxLength: 6 }),
    modes,
    fc.boolean(),
    check,
  );
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
}, 600_000);
