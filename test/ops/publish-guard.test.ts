import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readFile, readlink, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isGypsumError } from '../../src/index.ts';
import { entriesBelow } from '../helpers/entries-below.ts';
import { createRig, readTree } from '../helpers/rig.ts';

/** How many sequences of edits are tried; more are worth the time now and then. */
const RUNS = Number(process.env.GYPSUM_MODEL_RUNS ?? 30);

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const OTHER = { project: 'p', asset: 'other', version: '1' };
const PROBATION = { project: 'p', asset: 'a', version: 'on-probation' };
const VERSIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'p/a/v1': { a: 'one', b: 'two', c: 'one', 'd/e': 'three', 'd/f': 'two', empty: '' },
  'p/other/1': { x: 'one', y: 'four' },
};
const UNSURE = { z: 'one', w: 'five' };

const path = fc.constantFrom('a', 'b', 'c', 'd/e', 'd/f', 'empty', 'new', 'd/new', 'deep/er/new');
// Some contents are as long as what they replace, some are known, one is nothing.
const content = fc.constantFrom('ONE', 'TWO', 'one', 'two', 'four', 'something longer', '');
const target = fc.constantFrom('p/a/v1/a', 'p/a/v1/d/e', 'p/other/1/x', 'p/other/1/y', 'p/a/on-probation/w');

const edit = fc.oneof(
  fc.record({ type: fc.constant('write-through' as const), path, content, keepTime: fc.boolean() }),
  fc.record({ type: fc.constant('replace-cached' as const), path, content }),
  fc.record({ type: fc.constant('put' as const), path, content }),
  fc.record({ type: fc.constant('remove' as const), path }),
  fc.record({ type: fc.constant('move' as const), path, to: path }),
  fc.record({ type: fc.constant('retarget' as const), path, target }),
  fc.record({ type: fc.constant('link-out' as const), path, content }),
  fc.record({ type: fc.constant('touch' as const), path }),
  fc.record({ type: fc.constant('chmod' as const), path, mode: fc.constantFrom(0o600, 0o444, 0o755) }),
);
const plan = fc.record({ download: fc.boolean(), rescue: fc.boolean(), edits: fc.array(edit, { maxLength: 10 }) });
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never;

/** Does one edit, or nothing where there is nothing to do it to. */
function apply(clone: string, bucket: string, outside: string, one: Edit): void {
  const at = join(clone, one.path);
  const linked = statSync(at, { throwIfNoEntry: false });
  const clear = (file: string) => {
    rmSync(file, { force: true });
    mkdirSync(dirname(file), { recursive: true });
  };
  switch (one.type) {
    case 'write-through':
      if (linked === undefined) break;
      chmodSync(at, 0o644);
      writeFileSync(at, one.content);
      if (one.keepTime) utimesSync(at, 1e9, 1e9);
      break;
    case 'replace-cached':
      if (linked === undefined || !lstatSync(at).isSymbolicLink()) break;
      writeFileSync(join(outside, 'fresh'), one.content);
      renameSync(join(outside, 'fresh'), readlinkSync(at));
      break;
    case 'put':
      clear(at);
      writeFileSync(at, one.content);
      break;
    case 'remove':
      rmSync(at, { force: true });
      break;
    case 'move':
      if (lstatSync(at, { throwIfNoEntry: false }) === undefined) break;
      mkdirSync(dirname(join(clone, one.to)), { recursive: true });
      renameSync(at, join(clone, one.to));
      break;
    case 'retarget':
      clear(at);
      symlinkSync(join(bucket, one.target), at);
      break;
    case 'link-out': {
      clear(at);
      const file = join(outside, one.path.replaceAll('/', '-'));
      rmSync(file, { force: true });
      writeFileSync(file, one.content);
      symlinkSync(file, at);
      break;
    }
    case 'touch':
      if (linked !== undefined) utimesSync(at, 1e9, 1e9);
      break;
    case 'chmod':
      if (linked !== undefined) chmodSync(at, one.mode);
  }
}

/** What a file of the cache must hold, by its path in the bucket. */
function contentOf(name: string): string | undefined {
  const [, version = '', file = ''] = /^([^/]+\/[^/]+\/[^/]+)\/(.*)$/.exec(name) ?? [];
  const known: Readonly<Record<string, string>> | undefined = version.endsWith('on-probation')
    ? UNSURE
    : VERSIONS[version];
  return known?.[file];
}

/** Says what a folder shows, and which of its links show something else than the version that they name. */
async function look(clone: string, bucket: string) {
  const shown: Record<string, string> = {};
  const edited: string[] = [];
  for (const entry of entriesBelow(clone)) {
    if (entry.isDirectory()) continue;
    const at = join(entry.parentPath, entry.name);
    const name = relative(clone, at);
    const text = entry.isSymbolicLink() ? await readlink(at) : '';
    const meant = text.startsWith(bucket) ? contentOf(relative(bucket, text)) : undefined;
    const there = statSync(at, { throwIfNoEntry: false }) !== undefined;
    const says = there ? readFileSync(at, 'utf8') : (meant ?? 'nothing');
    shown[name] = says;
    if (meant !== undefined && meant !== says && !text.includes('on-probation')) edited.push(name);
  }
  return { shown, edited };
}

it('a version says what the folder showed, or is refused naming what was edited through a link', async () => {
  const rig = await createRig({ versions: VERSIONS });
  await rig.client.uploadDirectory(PROBATION, await rig.makeFolder('unsure', UNSURE), { probation: true });
  let run = 0;
  const outcomes = { published: 0, refused: 0, rescued: 0 };

  const check = async ({ download, rescue, edits }: { download: boolean; rescue: boolean; edits: readonly Edit[] }) => {
    const home = join(rig.folder, `run-${++run}`);
    const [clone, cacheDir, outside] = ['clone', 'cache', 'outside'].map((name) => join(home, name)) as [
      string,
      string,
      string,
    ];
    await mkdir(outside, { recursive: true });
    const client = rig.connect({ cacheDir });
    const bucket = join(cacheDir, 'bucket');
    await client.cloneVersion(V1, clone, { download });
    if (download) {
      for (const ref of [OTHER, PROBATION]) await client.saveVersion(ref);
      // A time that can be set again exactly: an edit may leave it, and the size, as they were.
      for (const name of Object.keys(VERSIONS['p/a/v1'] ?? {})) utimesSync(join(clone, name), 1e9, 1e9);
      await client.saveVersion(V1);
    }
    for (const one of edits) apply(clone, bucket, outside, one);
    const { shown, edited } = await look(clone, bucket);
    const ref = { ...V1, version: `run-${run}` };
    try {
      await client.uploadDirectory(ref, clone, { rescue });
    } catch (error) {
      if (!isGypsumError(error, 'invalid-tree')) throw error;
      expect(rescue).toBe(false);
      expect((error.details.edited as string[]).toSorted()).toEqual(edited.sort());
      for (const fault of error.details.faults as string[]) expect(fault).toContain('edited through');
      expect(await look(clone, bucket)).toMatchObject({ shown });
      expect(await client.listVersions(ref)).not.toContain(ref.version);
      outcomes.refused++;
      return;
    }
    outcomes[edited.length > 0 ? 'rescued' : 'published']++;
    if (edited.length > 0) expect(rescue).toBe(true);
    const fresh = rig.connect({ cacheDir: join(home, 'fresh') });
    const read = async (of: typeof ref) => {
      const { directory } = await fresh.saveVersion(of);
      const { '..manifest': _, '..summary': __, ...tree } = await readTree(directory);
      return tree;
    };
    expect(await read(ref)).toEqual(shown);
    expect(await read(V1)).toEqual(VERSIONS['p/a/v1']);
    expect(await read(OTHER)).toEqual(VERSIONS['p/other/1']);
    expect((await look(clone, bucket)).shown).toEqual(shown);
    for (const name of edited) expect(await readFile(join(clone, name), 'utf8')).toBe(shown[name]);
    await rm(home, { recursive: true });
  };

  const edits: Edit[] = [{ type: 'write-through', path: 'a', content: 'ONE', keepTime: true }];
  const examples = [true, false].map((rescue): [Parameters<typeof check>[0]] => [{ download: true, rescue, edits }]);
  await fc.assert(fc.asyncProperty(plan, check), { numRuns: RUNS, examples });
  for (const [name, times] of Object.entries(outcomes)) expect(times, name).toBeGreaterThan(0);
}, 600_000);
