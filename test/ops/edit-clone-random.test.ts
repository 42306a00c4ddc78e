import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ChangeResult,
  type Client,
  type CloneMode,
  isGypsumError,
  type LeftPath,
  type VersionRef,
} from '../../src/index.ts';
import { comparePaths } from '../../src/model/tree.ts';
import { formatTreeRecord, type RecordEntry, TREE_RECORD } from '../../src/model/tree-record.ts';
import { statThrough } from '../../src/tree/stat-through.ts';
import { entriesBelow } from '../helpers/entries-below.ts';
import { createRig } from '../helpers/rig.ts';

/** How many clones are tried; more are worth the time now and then. */
const RUNS = Number(process.env.GYPSUM_MODEL_RUNS ?? 15);
/** What is random follows from it; a failure names it. */
const SEED = Number(process.env.GYPSUM_MODEL_SEED ?? Date.now() % 2 ** 31);
/** How many triples of versions there are. */
const ASSETS = 16;

const names = fc.constantFrom('a', 'b', 'a.b', 'é');
const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const known = fc.constantFrom('', 'one', 'two', 'six', 'longer');
type Files = Readonly<Record<string, string>>;
const OWN = '-> ';
/** Files by path; of a file and a folder of the same name, the one that came first. */
const files = fc.array(fc.tuple(path, known), { minLength: 1, maxLength: 8 }).map((entries): Files => {
  const kept = new Map<string, string>();
  for (const [at, text] of entries) {
    if (![...kept.keys()].some((other) => isAtOrBelow(at, other) || isAtOrBelow(other, at))) kept.set(at, text);
  }
  return Object.fromEntries(kept);
});
/** As another version, of which some is as it was. */
const threeOf = (one: fc.Arbitrary<Files>) =>
  fc
    .tuple(one, one, one, fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }))
    .map(([first, ...others]): Files[] => {
      const stays = others.pop() as boolean[];
      const kept = Object.entries(first).filter((_, at) => stays[at]);
      return [first, ...(others as Files[]).map((more) => merge(Object.fromEntries(kept), more))];
    });
/** Symlinks that are a version's own stand among its files as what they say. */
const ownText = fc.constantFrom('a', '../b', 'nowhere', '.', '/else/where').map((text) => `${OWN}${text}`);
const withOwn = fc
  .tuple(files, fc.dictionary(path, ownText, { minKeys: 1, maxKeys: 3, noNullPrototype: true }))
  .map(([some, own]) => merge(some, merge({}, own)));
const versions = fc.oneof(
  threeOf(files).map((three) => ({ three, isTree: false })),
  threeOf(withOwn).map((three) => ({ three, isTree: true })),
);
const mode = fc.constantFrom<CloneMode[]>('symlink', 'symlink', 'hardlink', 'copy');
const which = fc.nat({ max: 1000 });
const version = fc.nat({ max: 2 });
/** A content that nobody has yet is given in place of nothing. */
const content = fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: known });
const selection = fc.oneof(
  fc.record({ by: fc.constant('all' as const) }),
  fc.record({ by: fc.constantFrom('entry' as const, 'version' as const, 'folder' as const), which }),
);
const is = <T extends string>(type: T) => fc.constant(type);
const action = fc.oneof(
  fc.record({ type: is('write'), path, content }),
  fc.record({ type: is('overwrite'), which, longer: fc.boolean() }),
  fc.record({ type: is('delete'), which }),
  fc.record({ type: is('delete folder'), which }),
  fc.record({ type: is('move'), which, path }),
  fc.record({ type: is('retarget'), path, version, which }),
  fc.record({ type: is('link out'), path }),
  fc.record({ type: is('make folder'), path }),
  fc.record({ type: is('drop'), version, which }),
  { weight: 3, arbitrary: fc.record({ type: is('stage'), selection }) },
  { weight: 3, arbitrary: fc.record({ type: is('restore'), selection, force: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ type: is('checkout'), version, download: fc.boolean() }) },
);
type Selection = typeof selection extends fc.Arbitrary<infer T> ? T : never;
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** What stands at a path of the clone. */
interface Item {
  readonly is: 'file' | 'link' | 'own' | 'foreign';
  /**
   * What it holds: a link into the cache what the version says, also if it dangles; a symlink that may be a version's own its text;
   * others hold nothing of a version.
   */
  readonly content: string;
  /** All that an edit could change, to the inode. */
  readonly raw: string;
  readonly names: number;
  readonly mode: number;
  readonly ino: number;
}
type Look = ReadonlyMap<string, Item>;

interface World {
  readonly client: Client;
  readonly ref: (version: number) => VersionRef;
  readonly versions: readonly Files[];
  /** The versions have tree records. */
  readonly isTree: boolean;
  readonly mode: CloneMode;
  readonly root: string;
  readonly bucket: string;
  /** Where the site cache has its files; nothing without one. */
  readonly site: string | undefined;
  readonly cacheDir: string;
  readonly outside: string;
  /** The version that the clone is of. */
  now: number;
  /** How many contents nobody had before. */
  fresh: number;
}

function isAtOrBelow(at: string, folder: string): boolean {
  return `${at}/`.startsWith(`${folder}/`);
}

function merge(first: Files, second: Files): Files {
  const merged: Record<string, string> = { ...first };
  for (const [at, text] of Object.entries(second)) {
    if (!Object.keys(merged).some((one) => isAtOrBelow(at, one) || isAtOrBelow(one, at))) merged[at] = text;
  }
  return merged;
}

/** Gives a version as it is published. */
function publishedOf(version: Files, isTree: boolean): Files {
  if (!isTree) return version;
  const entries = Object.entries(version).flatMap(([path, text]): RecordEntry[] =>
    text.startsWith(OWN) ? [{ type: 'symlink', path, target: text.slice(OWN.length), targetType: 'unknown' }] : [],
  );
  entries.sort((a, b) => comparePaths(a.path, b.path));
  const others = Object.entries(version).filter(([, text]) => !text.startsWith(OWN));
  return { ...Object.fromEntries(others), [TREE_RECORD]: formatTreeRecord({ entries }) };
}

function pick<T>(all: readonly T[], index: number): T | undefined {
  return all[index % all.length];
}

function foldersAbove(at: string): string[] {
  const parts = at.split('/');
  return parts.slice(1).map((_, end) => parts.slice(0, end + 1).join('/'));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return entriesBelow(folder)
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function foldersIn({ root }: World): string[] {
  return entriesBelow(root)
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

function bucketsOf({ bucket, site }: World): string[] {
  return site === undefined ? [bucket] : [bucket, site];
}

function look(world: World): Look {
  const items = filesBelow(world.root).map((at): [string, Item] => {
    const { ino, mode, mtimeMs, nlink } = lstatSync(at);
    const isLink = lstatSync(at).isSymbolicLink();
    const text = isLink ? readlinkSync(at) : readFileSync(at, 'utf8');
    const bucket = isLink ? bucketsOf(world).find((one) => text.startsWith(`${one}/`)) : undefined;
    const [, name, inside = ''] =
      bucket === undefined ? [] : (/^(\d)\/(.*)$/.exec(text.slice(bucket.length + 1)) ?? []);
    const meant = name === undefined ? undefined : world.versions[Number(name)]?.[inside];
    const own = `${world.isTree ? OWN : 'elsewhere: '}${text}`;
    const isOwn = isLink && world.versions[world.now]?.[relative(world.root, at)] === own;
    const item: Omit<Item, 'raw'> = {
      is: !isLink ? 'file' : meant !== undefined ? 'link' : isOwn ? 'own' : 'foreign',
      content: !isLink ? text : (meant ?? own),
      names: nlink,
      mode,
      ino,
    };
    return [relative(world.root, at), { ...item, raw: `${item.is} ${ino} ${mode} ${mtimeMs} ${text}` }];
  });
  return new Map(items.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function filesOf(version: Files = {}): string[] {
  return Object.keys(version).filter((at) => !version[at]?.startsWith(OWN));
}

/** Makes room for an entry. */
function clear(world: World, at: string): string {
  for (const above of foldersAbove(at)) {
    const stats = lstatSync(join(world.root, above), { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory()) rmSync(join(world.root, above));
  }
  const place = join(world.root, at);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(dirname(place), { recursive: true });
  return place;
}

/** Does what somebody does without us. */
function edit(world: World, one: Action): void {
  const { root, bucket, versions } = world;
  const items = look(world);
  const fresh = () => `${++world.fresh}`.padStart(3, '0');
  const any = 'which' in one ? pick([...items.keys()], one.which) : undefined;
  switch (one.type) {
    case 'write':
      writeFileSync(clear(world, one.path), one.content ?? fresh());
      break;
    case 'overwrite': {
      // A hard link is read-only: whoever writes through it changes the cache, which has tests of its own.
      const own = pick(
        [...items].filter(([, item]) => item.is === 'file' && item.names === 1),
        one.which,
      );
      if (own !== undefined) writeFileSync(join(root, own[0]), `${fresh()}${one.longer ? ' and more' : ''}`);
      break;
    }
    case 'delete':
      if (any !== undefined) rmSync(join(root, any));
      break;
    case 'delete folder': {
      const folder = pick(foldersIn(world), one.which);
      if (folder !== undefined) rmSync(join(root, folder), { recursive: true });
      break;
    }
    case 'move': {
      if (any === undefined || isAtOrBelow(one.path, any)) break;
      renameSync(join(root, any), join(root, '..', 'aside'));
      renameSync(join(root, '..', 'aside'), clear(world, one.path));
      break;
    }
    case 'retarget': {
      const target = pick(filesOf(versions[one.version]), one.which);
      if (target !== undefined) symlinkSync(join(bucket, `${one.version}`, target), clear(world, one.path));
      break;
    }
    case 'link out': {
      const text = fresh();
      writeFileSync(join(world.outside, text), text);
      symlinkSync(join(world.outside, text), clear(world, one.path));
      break;
    }
    case 'make folder':
      mkdirSync(clear(world, one.path));
      break;
    case 'drop': {
      const target = pick(filesOf(versions[one.version]), one.which);
      if (target !== undefined) rmSync(join(bucket, `${one.version}`, target), { force: true });
    }
  }
}

/** Gives the paths that are named, and those of some that are meant by it. */
function choose(world: World, how: Selection, of: readonly string[]) {
  const manifest = Object.keys(world.versions[world.now] ?? {});
  const all = how.by === 'folder' ? foldersIn(world) : how.by === 'version' ? manifest : [...look(world).keys()];
  const named = how.by === 'all' ? '' : (pick(all, how.which) ?? '');
  const meant = named === '' ? of : of.filter((at) => isAtOrBelow(at, named));
  return { paths: [join(world.root, named)], meant: new Set(meant) };
}

/** Gives what was done; nothing where nothing of the version was named. */
async function unlessNothing(doing: Promise<ChangeResult>): Promise<ChangeResult | undefined> {
  try {
    return await doing;
  } catch (error) {
    if (isGypsumError(error, 'not-found')) return undefined;
    throw error;
  }
}

function byPath(left: readonly LeftPath[]): Map<string, LeftPath> {
  return new Map(left.map((one) => [one.path, one]));
}

function isBlocked({ root }: World, at: string): boolean {
  const stats = (one: string) => lstatSync(join(root, one), { throwIfNoEntry: false });
  const isFile = (one: string) => stats(one)?.isDirectory() === false;
  const above = foldersAbove(at).find(isFile);
  return above !== undefined || stats(at)?.isDirectory() === true;
}

async function stage(world: World, { selection: how }: Action & { type: 'stage' }): Promise<void> {
  const before = look(world);
  const { paths, meant } = choose(world, how, [...before.keys()]);
  const result = await unlessNothing(world.client.stageFiles(paths));
  const after = look(world);
  expect([...after.keys()]).toEqual([...before.keys()]);
  const left = byPath(result?.left ?? []);
  for (const [at, item] of before) {
    const now = after.get(at);
    const isLink = item.is === 'link' || isHardLink(world, item);
    if (result === undefined || !meant.has(at) || !isLink) expect(now?.raw, at).toBe(item.raw);
    else expect(now, at).toMatchObject({ is: 'file', content: item.content, names: 1 });
    const isLeft = meant.has(at) && (item.is === 'foreign' || item.is === 'own');
    expect(left.get(at), at).toEqual(isLeft ? { path: at, state: item.is } : undefined);
    if (now !== undefined && now.raw !== item.raw) {
      expect(lstatSync(join(world.root, at)).mode & 0o777).toBe(0o644 & ~process.umask());
    }
  }
}

async function restore(world: World, { selection: how, force }: Action & { type: 'restore' }): Promise<void> {
  const before = look(world);
  const base = world.versions[world.now] ?? {};
  const { paths, meant } = choose(world, how, Object.keys(base));
  const result = await unlessNothing(world.client.restoreFiles(paths, { force }));
  const after = look(world);
  const left = byPath(result?.left ?? []);
  for (const at of new Set([...before.keys(), ...after.keys(), ...meant])) {
    const [was, now, wanted] = [before.get(at), after.get(at), base[at]];
    const one = left.get(at);
    if (result === undefined || !meant.has(at)) expect(now?.raw, at).toBe(was?.raw);
    else if (one !== undefined) {
      expect(now?.raw, at).toBe(was?.raw);
      expect(was?.content, at).not.toBe(wanted);
      if (!wanted?.startsWith(OWN)) expect(was?.is, at).not.toBe('link');
      if (one.state === 'blocked') expect(isBlocked(world, at), at).toBe(true);
      else expect(force, at).toBe(false);
    } else {
      const isOwn = wanted?.startsWith(OWN);
      expect([now?.content, now?.is], at).toEqual([wanted, isOwn ? 'own' : world.mode === 'symlink' ? 'link' : 'file']);
      if (world.mode === 'symlink' && !isOwn) {
        const places = bucketsOf(world).map((bucket) => join(bucket, `${world.now}`, at));
        expect(places).toContain(readlinkSync(join(world.root, at)));
      }
      if (world.mode === 'hardlink' && !isOwn && existsSync(cachedPath(world, at))) {
        expect(now?.ino, at).toBe(lstatSync(cachedPath(world, at)).ino);
      }
      if (was !== undefined && was.content !== wanted) {
        const kept = join(result.trash ?? '', at);
        const isLink = lstatSync(kept).isSymbolicLink();
        const says = isLink ? readlinkSync(kept) : readFileSync(kept, 'utf8');
        expect(was.raw.endsWith(` ${says}`), at).toBe(true);
      }
    }
  }
}

function cachedPath({ bucket, now }: World, at: string): string {
  return join(bucket, `${now}`, at);
}

async function checkout(world: World, { version: next, download }: Action & { type: 'checkout' }): Promise<void> {
  const before = look(world);
  const [base, target] = [world.versions[world.now] ?? {}, world.versions[next] ?? {}];
  const options = world.mode === 'symlink' ? { download } : {};
  const result = await world.client.checkoutVersion(world.ref(next), world.root, options);
  world.now = next;
  const after = look(world);
  const left = byPath(result.left);
  for (const at of new Set([...before.keys(), ...after.keys(), ...Object.keys(base), ...Object.keys(target)])) {
    const [was, now, of, wanted] = [before.get(at), after.get(at), base[at], target[at]];
    const one = left.get(at);
    if (one !== undefined) {
      expect(now?.raw, at).toBe(was?.raw);
      if (one.state === 'blocked') expect(isBlocked(world, at), at).toBe(true);
      else expect([of, wanted], at).not.toContain(was?.content);
      expect(one.conflict === true, at).toBe(of !== wanted);
    } else if (of === undefined && wanted === undefined) expect(now?.raw, at).toBe(was?.raw);
    else {
      expect([of, wanted], at).toContain(was?.content);
      expect(now?.content, at).toBe(wanted);
    }
  }
}

/** Whether a file of a clone is a hard link to one of its version, or of any that the cache has. */
function isHardLink({ mode, bucket, cacheDir, versions, now }: World, { is: what, content: text, ino }: Item): boolean {
  if (mode !== 'hardlink' || what !== 'file') return false;
  const isVersions = Object.values(versions[now] ?? {}).includes(text);
  const cached = [bucket, ...(isVersions ? [join(cacheDir, '.gypsum-client/1/blobs')] : [])].flatMap(filesBelow);
  return cached.some((at) => lstatSync(at).ino === ino);
}

/** What of the cache holds something else than it must, or can be written to. */
function wrongInCache({ versions, isTree, bucket, cacheDir }: World): string[] {
  const published = versions.map((one) => publishedOf(one, isTree));
  const contents = new Set(published.flatMap((one) => Object.values(one)));
  const blobs = filesBelow(join(cacheDir, '.gypsum-client/1/blobs')).filter(
    (at) => !contents.has(readFileSync(at, 'utf8')),
  );
  const wrong = filesBelow(bucket).filter((at) => {
    const [, name, inside = ''] = /^(\d)\/(.*)$/.exec(relative(bucket, at)) ?? [];
    if (inside.startsWith('..')) return false;
    const isRight = readFileSync(at, 'utf8') === published[Number(name)]?.[inside];
    return !isRight || (lstatSync(at).mode & 0o777) !== 0o444;
  });
  return [...blobs, ...wrong];
}

/** Contents that nobody but the user has, wherever they are. */
function freshIn(world: World): Set<string> {
  const isFresh = (text: string) => /^\d{3}\b/.test(text);
  const own = [...look(world).values()].map((item) => item.content);
  const kept = filesBelow(join(world.cacheDir, '.gypsum-client/1/trash'))
    .filter((at) => lstatSync(at).isFile())
    .map((at) => readFileSync(at, 'utf8'));
  return new Set([...own, ...kept].filter(isFresh));
}

/** What publishing the clone would say. */
async function expectPrepared(world: World): Promise<void> {
  const items = look(world);
  const base = world.versions[world.now] ?? {};
  const { files, links, record } = await world.client.prepareDirectoryUpload(world.root);
  const said = new Map<string, string | undefined>();
  for (const { path: at } of files) said.set(at, readFileSync(join(world.root, at), 'utf8'));
  for (const { path: at, link } of links) said.set(at, world.versions[Number(link.version)]?.[link.path]);
  for (const entry of record?.entries ?? []) if (entry.type === 'symlink') said.set(entry.path, OWN + entry.target);
  const shown = [...items].map(([at, item]) => [at, item.content.replace(/^elsewhere: .*\//, '')]);
  expect(Object.fromEntries(said)).toEqual(Object.fromEntries(shown));
  const mustLink = ([at, item]: [string, Item]) =>
    item.is === 'link' || (item.is === 'file' && world.mode !== 'symlink' && item.content === base[at]);
  const linked = new Set(links.map(({ path: at }) => at));
  const unlinked = [...items].filter(([at]) => !linked.has(at));
  expect(unlinked.filter(mustLink)).toEqual([]);
  // Files that are known need not be sent, whatever their names.
  const isSent = ([at, item]: [string, Item]) =>
    item.is === 'foreign' || item.is === 'own' || (world.mode === 'symlink' && !mustLink([at, item]));
  expect([...items].filter(([at, item]) => linked.has(at) && isSent([at, item]))).toEqual([]);
  expect(look(world)).toEqual(items);

  const { clean } = await world.client.cloneStatus(world.root);
  const isAsCloned = [...items].every(
    (one) => (mustLink(one) || one[1].is === 'own') && one[1].content === base[one[0]],
  );
  const isEmpty = (folder: string) => ![...items.keys()].some((at) => isAtOrBelow(at, folder));
  const hasOwnFolders = world.isTree && foldersIn(world).some(isEmpty);
  expect(clean).toBe(isAsCloned && !hasOwnFolders && Object.keys(base).every((at) => items.has(at)));
}

const TOOLS = { stage, restore, checkout };

/** Gives clones of the first of three versions, each in a cache of its own, of which some have some versions below them. */
async function createWorlds(): Promise<(chosen: number, mode: CloneMode, inSite?: number) => Promise<World>> {
  const assets = fc.sample(versions, { numRuns: ASSETS, seed: SEED });
  const seed = assets.flatMap(({ three, isTree }, at) =>
    three.map((one, name) => [`p/${at}/${name}`, publishedOf(one, isTree)] as const),
  );
  const rig = await createRig({ versions: Object.fromEntries(seed) });
  let run = 0;
  return async (chosen, cloneMode, inSite = 0) => {
    const [home, asset] = [join(rig.folder, `${++run}`), `${chosen}`];
    const [cacheDir, root, outside] = [join(home, 'cache'), join(home, 'clone'), join(home, 'outside')] as const;
    mkdirSync(outside, { recursive: true });
    const siteCacheDir = join(home, 'site');
    const ref = (one: number) => ({ project: 'p', asset, version: `${one}` });
    const keeper = rig.connect({ cacheDir: siteCacheDir });
    for (let one = 0; one < inSite; one++) await keeper.saveVersion(ref(one));
    const client = rig.connect({ cacheDir, ...(inSite > 0 && { siteCacheDir }) });
    await client.cloneVersion(ref(0), root, { mode: cloneMode });
    return {
      client,
      ref,
      versions: assets[chosen]?.three ?? [],
      isTree: assets[chosen]?.isTree ?? false,
      site: inSite > 0 ? join(siteCacheDir, 'bucket/p', asset) : undefined,
      mode: cloneMode,
      root,
      bucket: join(cacheDir, 'bucket/p', asset),
      cacheDir,
      outside,
      now: 0,
      fresh: 0,
    };
  };
}

const asset = fc.nat({ max: ASSETS - 1 });
/** How many of the versions a site cache has. */
const sites = fc.constantFrom(0, 0, 1, 3);

/** All that could change of the site cache. */
function shapeOfSite({ site }: World): unknown[] {
  return (site === undefined ? [] : filesBelow(site)).map((at) => {
    const { ino, mode: rights, mtimeMs, nlink } = lstatSync(at);
    return [at, ino, rights, mtimeMs, nlink, readFileSync(at, 'utf8')];
  });
}

it('no sequence of edits, stages, restores and checkouts changes a cached byte or loses an edit', async () => {
  const createWorld = await createWorlds();
  const check = async (chosen: number, cloneMode: CloneMode, inSite: number, actions: readonly Action[]) => {
    const world = await createWorld(chosen, cloneMode, inSite);
    const below = shapeOfSite(world);
    for (const one of actions) {
      const mine = freshIn(world);
      if (one.type === 'stage') await stage(world, one);
      else if (one.type === 'restore') await restore(world, one);
      else if (one.type === 'checkout') await checkout(world, one);
      else edit(world, one);
      if (one.type in TOOLS) expect([...freshIn(world)]).toEqual(expect.arrayContaining([...mine]));
      expect(wrongInCache(world)).toEqual([]);
    }
    await expectPrepared(world);
    expect(shapeOfSite(world)).toEqual(below);
  };
  const property = fc.asyncProperty(asset, mode, sites, fc.array(action, { maxLength: 10 }), check);
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
}, 600_000);

it('what is staged and restored is as it was', async () => {
  const createWorld = await createWorlds();
  // What has the version's content becomes a link, also if somebody has made it.
  const aside = fc.oneof(
    fc.record({ type: is('write'), path, content: fc.constant(undefined) }),
    fc.record({ type: is('delete'), which }),
    fc.record({ type: is('link out'), path }),
    fc.record({ type: is('make folder'), path }),
    fc.record({ type: is('drop'), version: fc.constant(0), which }),
  );
  const check = async (chosen: number, cloneMode: CloneMode, edits: readonly Action[], how: Selection) => {
    const world = await createWorld(chosen, cloneMode);
    expect(await world.client.cloneStatus(world.root)).toMatchObject({ clean: true, entries: [] });
    for (const one of edits) edit(world, one);
    const shape = () => [
      foldersIn(world),
      [...look(world)].map(([at, { is: what, content: text, mode: rights }]) => [at, what, text, rights]),
    ];
    const before = shape();
    await stage(world, { type: 'stage', selection: how });
    await restore(world, { type: 'restore', selection: how, force: false });
    expect(shape()).toEqual(before);
  };
  const property = fc.asyncProperty(asset, mode, fc.array(aside, { maxLength: 4 }), selection, check);
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
}, 600_000);

/** What a path shows, through a link too; nothing where that dangles. */
function shownAt(place: string): string | undefined {
  const stats = statThrough(place);
  return stats?.isFile() ? readFileSync(place, 'utf8') : undefined;
}

/** Gives the links, and hard links, that show something else than the version they lead to says. */
function editedIn(world: World): string[] {
  return [...look(world)].flatMap(([at, item]) => {
    const shown = shownAt(join(world.root, at));
    const isEdited = item.is === 'link' ? shown !== undefined && shown !== item.content : isOfCache(world, at, item);
    return isEdited ? [at] : [];
  });
}

/**
 * Whether a file is a hard link to its version's in the cache that holds something else than it must. Where that has no name there, or
 * another one, the file may be one that was modified.
 */
function isOfCache(world: World, at: string, { is: what, ino }: Item): boolean {
  const cached = cachedPath(world, at);
  return what === 'file' && wrongInCache(world).includes(cached) && lstatSync(cached).ino === ino;
}

/** Writes through a link, as an editor does that follows it. */
function editThrough(world: World, index: number): void {
  const isLink = ([at, item]: [string, Item]) =>
    (item.is === 'link' && isInOwnCache(world, at)) || isHardLink(world, item);
  const at = pick([...look(world)].filter(isLink), index)?.[0];
  if (at === undefined) return;
  chmodSync(join(world.root, at), 0o644);
  writeFileSync(join(world.root, at), `${++world.fresh}`.padStart(3, '0'));
}

function isInOwnCache({ root, bucket }: World, at: string): boolean {
  return readlinkSync(join(root, at)).startsWith(`${bucket}/`) && shownAt(join(root, at)) !== undefined;
}

/** Every content that only the user has, and can see in the clone or finds in the trash. */
function freshInSight({ root, cacheDir }: World): Set<string> {
  const all = [root, join(cacheDir, '.gypsum-client/1/trash')].flatMap(filesBelow).flatMap((at) => shownAt(at) ?? []);
  return new Set(all.filter((text) => /^\d{3}\b/.test(text)));
}

it('what is edited through links is found, is never lost, and can be rescued', async () => {
  const createWorld = await createWorlds();
  const through = fc.oneof(
    action,
    fc.record({ type: is('edit through'), which }),
    fc.record({ type: is('edit through'), which }),
    fc.record({ type: is('rescue'), selection }),
  );
  type Through = typeof through extends fc.Arbitrary<infer T> ? T : never;
  const work = async (world: World, one: Through): Promise<void> => {
    const { client, mode: cloneMode } = world;
    if (one.type === 'edit through') editThrough(world, one.which);
    else if (one.type === 'stage' || one.type === 'rescue') {
      await client.stageFiles(choose(world, one.selection, []).paths, { rescue: one.type === 'rescue' });
    } else if (one.type === 'restore') {
      await client.restoreFiles(choose(world, one.selection, []).paths, { force: one.force });
    } else if (one.type === 'checkout') {
      const options = cloneMode === 'symlink' ? { download: one.download } : {};
      await client.checkoutVersion(world.ref(one.version), world.root, options);
      world.now = one.version;
    } else edit(world, one);
  };
  const check = async (chosen: number, cloneMode: CloneMode, inSite: number, actions: readonly Through[]) => {
    const world = await createWorld(chosen, cloneMode, inSite);
    const below = shapeOfSite(world);
    for (const one of actions) {
      const [mine, before] = [freshInSight(world), look(world)];
      try {
        await work(world, one);
      } catch (error) {
        if (!isGypsumError(error, 'not-found') && !isGypsumError(error, 'wrong-content')) throw error;
        expect(look(world)).toEqual(before);
      }
      if (one.type in TOOLS || one.type === 'rescue') {
        expect([...freshInSight(world)]).toEqual(expect.arrayContaining([...mine]));
      }
      // Nothing is in the cache that is wrong in another way.
      const wrong = wrongInCache(world).map((at) => readFileSync(at, 'utf8'));
      expect(wrong.filter((text) => !/^\d{3}$/.test(text))).toEqual([]);
    }

    const edited = editedIn(world);
    const { entries } = await world.client.cloneStatus(world.root);
    const said = entries.filter(({ state }) => state === 'edited').map((entry) => entry.path);
    expect(said).toEqual(expect.arrayContaining(edited));
    expect(said.filter((at) => !edited.includes(at) && look(world).get(at)?.names === 1)).toEqual([]);
    if (edited.length > 0) {
      await expect(world.client.prepareDirectoryUpload(world.root)).rejects.toMatchObject({
        details: { edited: expect.arrayContaining(edited) },
      });
    }
    const shown = edited.map((at) => [at, shownAt(join(world.root, at))]);
    await unlessNothing(world.client.stageFiles([world.root], { rescue: true }));
    expect(shown.map(([at = '']) => [at, shownAt(join(world.root, at))])).toEqual(shown);
    for (const [at = ''] of shown) expect(look(world).get(at)).toMatchObject({ is: 'file', names: 1 });
    await expectPrepared(world);
    expect(shapeOfSite(world)).toEqual(below);
  };
  const property = fc.asyncProperty(asset, mode, sites, fc.array(through, { maxLength: 8 }), check);
  await fc.assert(property, { numRuns: RUNS, seed: SEED });
}, 600_000);
