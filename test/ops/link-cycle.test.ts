import { cpSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { applyLinking, type LinkOptions, linkFolders, planLinking, stageFolder } from '../../src/index.ts';
import { isBelow } from '../../src/model/tree.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import { statThrough } from '../../src/tree/stat-through.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd.e', 'é');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const text = fc.constantFrom('', 'one', 'two', 'three');
/** What a link leads to, seen from the folder that holds both. */
const goal = fc.oneof(
  path.map((at) => `src/${at}`),
  path.map((at) => `dst/${at}`),
  fc.constantFrom('nowhere', 'src', 'dst', 'beside/canary', 'beside'),
);
const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 5, arbitrary: text },
  { weight: 2, arbitrary: goal.map((link) => ({ link })) },
  { weight: 1, arbitrary: fc.constant<Item>('folder/') },
);
const folder = fc.dictionary(path, item, { maxKeys: 7, noNullPrototype: true });
const options: fc.Arbitrary<LinkOptions> = fc.record({
  linkType: fc.constantFrom(undefined, 'relative', 'absolute'),
  createDst: fc.boolean(),
  relink: fc.boolean(),
});

/**
 * Leaves out what would lie below a file or a link, and has links lead from the root. Links into a destination in which
 * something new appears are left out, too: they may lead nowhere before, and somewhere after.
 */
function possible(top: string, items: Record<string, Item>, { createDst, relink }: LinkOptions): Record<string, Item> {
  const isSteady = (one: Item | undefined) =>
    !(createDst || relink) || typeof one !== 'object' || !one.link.startsWith('dst');
  const paths = Object.keys(items).filter((at) => isSteady(items[at]));
  const kept = paths.filter((at) => !paths.some((other) => isBelow(at, other) && items[other] !== 'folder/'));
  return Object.fromEntries(
    kept.map((at) => {
      const one = items[at] as Item;
      return [at, typeof one === 'string' ? one : { link: join(top, one.link) }];
    }),
  );
}

/** What is found at each path of a folder, through links; nothing where one leads nowhere. */
async function contents(root: string): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {};
  for (const { type, path: at } of await scanFolder(root)) {
    const stats = statThrough(join(root, at));
    if (type === 'directory' || stats?.isDirectory()) found[at] = 'a folder';
    else found[at] = stats?.isFile() ? readFileSync(join(root, at), 'utf8') : undefined;
  }
  return found;
}

/** What stands at each path of a folder, with the folder's own name left out of links. */
async function shape(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { path: at, type } of await scanFolder(root)) {
    const place = join(root, at);
    found[at] =
      type === 'symlink' ? `-> ${readlinkSync(place)}` : lstatSync(place).isFile() ? readFileSync(place, 'utf8') : type;
  }
  return found;
}

it('linking and staging any two folders gives the same contents, and changes nothing else', async () => {
  const root = await tempFolder();
  let run = 0;
  await fc.assert(
    fc.asyncProperty(folder, folder, fc.boolean(), options, fc.nat({ max: 6 }), async (src, dst, isCopy, how, stop) => {
      const top = join(root, String(run++));
      const pair = { src: join(top, 'src'), dst: join(top, 'dst') };
      for (const at of [pair.src, pair.dst]) mkdirSync(at, { recursive: true });
      layOut(top, { 'beside/canary': 'canary' });
      layOut(pair.src, possible(top, src, how));
      layOut(pair.dst, possible(top, isCopy ? { ...src, ...dst } : dst, how));
      const outside = snapshot(top, pair.dst);
      const before = await contents(pair.dst);

      // As a run does that is killed after some steps, and then another one.
      const twin = join(top, 'twin');
      cpSync(pair.dst, twin, { recursive: true, verbatimSymlinks: true });
      const plan = await planLinking(pair.src, pair.dst, how);
      await applyLinking({ ...plan, steps: plan.steps.slice(0, stop) });
      const result = await linkFolders(pair.src, pair.dst, how);
      expect(result.counts.failed).toBe(plan.files.filter(({ state }) => state === 'failed').length);

      const linked = await contents(pair.dst);
      for (const [at, content] of Object.entries(before)) {
        if (content !== undefined || how.relink !== true) expect(linked[at], at).toBe(content);
      }
      const ended = await shape(pair.dst);
      rmSync(pair.dst, { recursive: true });
      cpSync(twin, pair.dst, { recursive: true, verbatimSymlinks: true });
      rmSync(twin, { recursive: true });
      const whole = await linkFolders(pair.src, pair.dst, how);
      expect(await shape(pair.dst)).toEqual(ended);
      expect((await linkFolders(pair.src, pair.dst, how)).counts).toMatchObject({
        linked: 0,
        same: 0,
        'already-linked': whole.counts.linked + whole.counts['already-linked'],
      });

      const staged = await stageFolder(pair.dst, { source: pair.src });
      expect(staged.counts.failed).toBe(0);
      expect(await contents(pair.dst)).toEqual(linked);
      for (const { path: at, state } of result.files) {
        if (state === 'linked' || state === 'already-linked')
          expect(lstatSync(join(pair.dst, at)).isFile(), at).toBe(true);
      }
      expect(snapshot(top, pair.dst)).toEqual(outside);
      rmSync(top, { recursive: true });
    }),
    { numRuns: 40 },
  );
});
