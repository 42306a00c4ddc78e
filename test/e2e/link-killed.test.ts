import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { linkFolders, stageFolder } from '../../src/index.ts';
import { statThrough } from '../../src/tree/stat-through.ts';
import { built, diesAt } from '../helpers/dies-at.ts';
import { type Item, layOut } from '../helpers/files.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Runs a call of the built library in a process that is killed before its n-th change; says whether it was. */
function dies(at: number, module: string, call: string, folders: readonly string[]): boolean {
  const program = `import { ${call} as act } from '${built(`ops/${module}.js`)}'; await act(...JSON.parse(process.argv[1]));`;
  return diesAt(
    at,
    program,
    call === 'stageFolder' ? [folders[1], { folders: true }] : [...folders, { protect: true }],
  );
}

const SRC: Record<string, Item> = { f: 'f', 'sub/g': 'g', 'tree/h': 'h' };

it.each<[string, string, string, Record<string, Item>]>([
  ['linking', 'link-folders', 'linkFolders', { f: 'f', 'sub/g': 'g' }],
  ['staging', 'stage-folder', 'stageFolder', { f: { link: '../src/f' }, tree: { link: '../src/tree' } }],
])(
  '%s that is killed anywhere has lost nothing, and is finished by another run',
  async (_what, module, call, items) => {
    const top = await tempFolder();
    const [src, dst] = [join(top, 'src'), join(top, 'dst')];
    layOut(src, SRC);
    const contents = (folder: string) =>
      Object.fromEntries(
        Object.keys(SRC)
          .filter((path) => statThrough(join(folder, path)) !== undefined)
          .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
      );
    mkdirSync(dst);
    layOut(dst, items);
    const whole = contents(dst);
    let kills = 0;
    for (; ; kills++) {
      rmSync(dst, { recursive: true });
      mkdirSync(dst);
      layOut(dst, items);
      const source = Object.keys(snapshot(src)).length;
      const isKilled = dies(kills, module, call, [src, dst]);
      expect(Object.keys(snapshot(src))).toHaveLength(source);
      expect(contents(src)).toEqual(SRC);
      const now = contents(dst);
      // Between two calls, a folder has neither its link nor its name yet: it is there, whole.
      const holders = readdirSync(dst).filter((name) => name.startsWith('..gypsum-'));
      if (!('tree/h' in now) && 'tree' in items) Object.assign(now, contents(join(dst, holders[0] ?? '')));
      expect(now, `killed at ${kills}`).toEqual(whole);

      if (call === 'linkFolders') expect((await linkFolders(src, dst)).counts.failed).toBe(0);
      else expect((await stageFolder(dst, { folders: true })).counts.failed).toBe(0);
      // Nothing that was short-lived is left, either.
      expect(readdirSync(dst).toSorted()).toEqual([...new Set(Object.keys(items).map((path) => path.split('/')[0]))]);
      expect(contents(dst)).toEqual(whole);
      if (!isKilled) break;
    }
    expect(kills).toBeGreaterThan(5);
  },
);
