import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Client, CloneStatus, UploadLink, VersionRef } from '../../src/index.ts';
import { countFiles } from '../../src/model/count.ts';
import { comparePaths, parentPath } from '../../src/model/tree.ts';
import { createRig } from '../helpers/rig.ts';

/** How many clones are tried; more are worth the time now and then. */
const RUNS = Number(process.env.GYPSUM_MODEL_RUNS ?? 20);

const names = fc.constantFrom('a', 'b', 'a.b', 'a-b', 'é');
const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const content = fc.constantFrom('', 'x', 'y', 'xx', 'yy', 'longer');
/** Files by path; of a file and a folder of the same name, the one that came first. */
const files = fc.array(fc.tuple(path, content), { minLength: 1, maxLength: 12 }).map((entries) => {
  const kept = new Map<string, string>();
  const lies = (one: string, other: string) => `${one}/`.startsWith(`${other}/`);
  for (const [at, text] of entries) {
    if (![...kept.keys()].some((other) => lies(at, other) || lies(other, at))) kept.set(at, text);
  }
  return Object.fromEntries(kept);
});
const mode = fc.constantFrom('symlink', 'symlink', 'hardlink', 'copy');
const which = fc.nat();
const edit = fc.oneof(
  fc.record({ type: fc.constant('put' as const), path, content }),
  fc.record({ type: fc.constant('remove' as const), which }),
  fc.record({ type: fc.constant('move' as const), which, path }),
  fc.record({ type: fc.constant('rewrite' as const), which, content }),
  fc.record({ type: fc.constant('link' as const), path, which }),
  fc.record({ type: fc.constant('link out' as const), path, content }),
  fc.record({ type: fc.constant('drop' as const), which }),
  fc.record({ type: fc.constant('write through' as const), which, content }),
);
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** What stands at a path: a file, or a symlink to a file of the version or elsewhere. */
type Item =
  | { readonly is: 'file'; readonly content: string }
  | { readonly is: 'elsewhere'; readonly content: string }
  | { readonly is: 'link'; readonly to: string };

/** A clone, and what has been done to it. */
interface Model {
  readonly root: string;
  readonly bucket: string;
  readonly outside: string;
  /** How many files stand outside. */
  made: number;
  readonly version: Readonly<Record<string, string>>;
  readonly items: Map<string, Item>;
  /** Paths of the version that the cache has not, and contents that were overwritten there. */
  readonly dropped: Set<string>;
  readonly overwritten: Set<string>;
}

function pick<T>(all: readonly T[], index: number): T | undefined {
  return all[index % all.length];
}

/** Makes room for an entry. */
function clear({ root, items }: Model, at: string): void {
  for (let above = parentPath(at); above !== ''; above = parentPath(above)) {
    if (items.delete(above)) rmSync(join(root, above));
  }
  for (const other of items.keys()) if (`${other}/`.startsWith(`${at}/`)) items.delete(other);
  rmSync(join(root, at), { recursive: true, force: true });
  mkdirSync(join(root, parentPath(at)), { recursive: true });
}

function put(model: Model, at: string, item: Item): void {
  clear(model, at);
  model.items.set(at, item);
  const place = join(model.root, at);
  if (item.is === 'file') writeFileSync(place, item.content);
  else if (item.is === 'link') symlinkSync(join(model.bucket, item.to), place);
  else {
    const target = join(model.outside, `${model.made++}`);
    writeFileSync(target, item.content);
    symlinkSync(target, place);
  }
}

function apply(model: Model, one: Edit): void {
  const { root, items, version, bucket } = model;
  const chosen = 'which' in one ? pick([...items.keys()], one.which) : undefined;
  const wanted = 'which' in one ? (pick(Object.keys(version), one.which) ?? '') : '';
  const item = chosen === undefined ? undefined : items.get(chosen);
  switch (one.type) {
    case 'put':
      put(model, one.path, { is: 'file', content: one.content });
      break;
    case 'link':
      put(model, one.path, { is: 'link', to: wanted });
      break;
    case 'link out':
      put(model, one.path, { is: 'elsewhere', content: one.content });
      break;
    case 'remove':
      if (chosen === undefined) break;
      items.delete(chosen);
      rmSync(join(root, chosen));
      break;
    case 'rewrite':
      if (chosen !== undefined) put(model, chosen, { is: 'file', content: one.content });
      break;
    case 'move': {
      if (chosen === undefined || item === undefined || `${one.path}/`.startsWith(`${chosen}/`)) break;
      const aside = join(root, '..', 'aside');
      renameSync(join(root, chosen), aside);
      items.delete(chosen);
      clear(model, one.path);
      renameSync(aside, join(root, one.path));
      items.set(one.path, item);
      break;
    }
    case 'drop':
      model.dropped.add(wanted);
      rmSync(join(bucket, wanted), { force: true });
      break;
    case 'write through':
      if (item?.is !== 'link' || model.dropped.has(item.to) || version[item.to] === one.content) break;
      chmodSync(join(bucket, item.to), 0o644);
      writeFileSync(join(bucket, item.to), one.content);
      model.overwritten.add(version[item.to] ?? '');
  }
}

/** Says of a path what its state must be, moves aside: they are additions and deletions. */
function expectedState({ version, items, dropped, overwritten }: Model, at: string, mode: string): string {
  const item = items.get(at);
  const before = version[at];
  if (item === undefined) return 'deleted';
  if (item.is === 'elsewhere') return 'foreign';
  if (item.is === 'file') {
    return before === undefined
      ? 'added'
      : before !== item.content
        ? 'modified'
        : mode === 'symlink'
          ? 'staged'
          : 'linked';
  }
  const meant = version[item.to] ?? '';
  if (overwritten.has(meant) && !dropped.has(item.to)) return 'edited';
  if (before === undefined) return 'added';
  return meant !== before ? 'retargeted' : dropped.has(item.to) ? 'dangling' : 'linked';
}

/** Takes moves apart again, each of which must be one. */
function withoutMoves({ version, items }: Model, { entries }: CloneStatus): Record<string, string> {
  const contentAt = (at: string) => {
    const item = items.get(at);
    return item?.is === 'link' ? version[item.to] : item?.content;
  };
  const told: Record<string, string> = {};
  const open = { added: new Set<string | undefined>(), deleted: new Set<string | undefined>() };
  for (const { path: at, state, from } of entries) {
    told[at] = state === 'moved' ? 'added' : state;
    if (from !== undefined) {
      expect(contentAt(at)).toBe(version[from]);
      expect(told).not.toHaveProperty([from]);
      told[from] = 'deleted';
    }
    if (state === 'added') open.added.add(contentAt(at));
    if (state === 'deleted') open.deleted.add(version[at]);
  }
  // What is both new and gone has moved, unless it is empty.
  expect([...open.added].filter((text) => text !== '' && open.deleted.has(text))).toEqual([]);
  return told;
}

it('a fresh clone is clean, and of an edited one every difference is told and no other, as publishing sees it', async () => {
  const rig = await createRig({ versions: { 'p/other/v': { z: 'longer' } } });
  let run = 0;
  const seen = new Set<string>();

  const check = async (version: Record<string, string>, chosenMode: string, edits: readonly Edit[]) => {
    const ref: VersionRef = { project: 'p', asset: `run-${++run}`, version: '1' };
    const home = join(rig.folder, ref.asset);
    const source = await rig.makeFolder(`${ref.asset}/source`, version);
    await rig.client.uploadDirectory(ref, source, { deduplicate: false });
    const cacheDir = join(home, 'cache');
    const [client, offline] = [rig.connect({ cacheDir }), rig.connect({ cacheDir, offline: true })] as [Client, Client];
    const root = join(home, 'clone');
    await client.cloneVersion(ref, root, { mode: chosenMode as 'copy' });
    const fresh = await client.cloneStatus(root);
    expect(fresh).toMatchObject({ clean: true, entries: [], publishing: { send: { files: 0 }, refused: [] } });
    expect(fresh.states.linked.files).toBe(Object.keys(version).length);

    const outside = await rig.makeFolder(`${ref.asset}/outside`, {});
    const made = chosenMode === 'symlink' ? 'link' : 'file';
    const model: Model = {
      root,
      bucket: join(cacheDir, 'bucket/p', ref.asset, '1'),
      outside,
      made: 0,
      version,
      items: new Map(
        Object.entries(version).map(([at, text]) => [
          at,
          made === 'link' ? { is: made, to: at } : { is: made, content: text },
        ]),
      ),
      dropped: new Set(),
      overwritten: new Set(),
    };
    for (const one of edits) {
      // A hard link in the clone is edited with the cached file; that has tests of its own.
      if (one.type === 'write through' && chosenMode === 'hardlink') continue;
      apply(model, one);
    }
    const before = rig.registry.calls.length;
    const status = await offline.cloneStatus(root);
    expect(rig.registry.calls.length).toBe(before);
    expect(await client.cloneStatus(root)).toEqual(status);

    const all = [...new Set([...Object.keys(version), ...model.items.keys()])];
    const expected = all.map((at) => [at, expectedState(model, at, chosenMode)] as const);
    for (const [, state] of expected) seen.add(state);
    expect(withoutMoves(model, status)).toEqual(Object.fromEntries(expected.filter(([, state]) => state !== 'linked')));
    expect(status.entries.map(({ path: at }) => at)).toEqual(
      status.entries.map(({ path: at }) => at).toSorted(comparePaths),
    );

    const { send, link, refused } = status.publishing;
    if (refused.length > 0) {
      const edited = refused.map(({ path: at }) => at);
      await expect(client.prepareDirectoryUpload(root)).rejects.toMatchObject({ details: { edited } });
      return;
    }
    const prepared = await client.prepareDirectoryUpload(root);
    expect(prepared.files.length + prepared.links.length).toBe(send.files + link.files);
    const plan = await client.planUpload({ ...ref, version: '2' }, root);
    // Of equal files that are sent, the plan sends one.
    const isEqual = (one: UploadLink) => one.link.version === plan.version;
    expect({
      send: countFiles([...plan.files, ...plan.links.filter(isEqual)]),
      link: countFiles(plan.links.filter((one) => !isEqual(one))),
    }).toEqual({ send, link });
  };

  // Tried whatever else is: without them some seeds have none of a state.
  const usual: Edit[] = [
    { type: 'rewrite', which: 0, content: 'yy' },
    { type: 'put', path: 'new', content: 'x' },
    { type: 'link out', path: 'out', content: 'x' },
    { type: 'remove', which: 1 },
  ];
  const examples: Parameters<typeof check>[] = [[{ a: 'x', b: 'y', c: '' }, 'symlink', usual]];
  const property = fc.asyncProperty(files, mode, fc.array(edit, { maxLength: 8 }), check);
  await fc.assert(property, { numRuns: RUNS, examples });
  // What no clone had was not tried.
  expect([...seen]).toEqual(expect.arrayContaining(['added', 'deleted', 'modified', 'foreign']));
}, 240_000);
