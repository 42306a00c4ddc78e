import { readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fsPath } from '../../src/model/local-path.ts';
import { sortPaths } from '../../src/model/tree.ts';
import { applySteps } from '../../src/tree/apply.ts';
import { applyChanges } from '../../src/tree/apply-changes.ts';
import { createPlaces } from '../../src/tree/places.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import type { MakeStep, Step } from '../../src/tree/step.ts';
import { deepFolder } from '../helpers/deep-folder.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** 3,000 levels in 15 kB: more than three times what a path may have. Every tenth name is not UTF-8. */
const NAMES = Array.from({ length: 3000 }, (_, at) => (at % 10 === 0 ? `\udcff${at}` : `d${at % 1000}`));
const DEEP = NAMES.join('/');
const MIDDLE = NAMES.slice(0, 1500).join('/');

const openFiles = () => readdirSync('/proc/self/fd').length;

describe.runIf(process.platform === 'linux')('a folder of 3,000 levels', () => {
  it('is scanned, and reached in any order by few open folders', async () => {
    const { root, inmost } = await deepFolder(NAMES);
    writeFileSync(join(inmost, 'file'), 'text');
    symlinkSync('else/where', join(inmost, 'link'));
    const open = openFiles();

    const tree = await scanFolder(root);

    expect(openFiles()).toBe(open);
    expect(tree).toHaveLength(3002);
    expect(tree[1499]).toEqual({ type: 'directory', path: MIDDLE });
    expect(tree.slice(-2)).toEqual([
      { type: 'file', path: `${DEEP}/file`, size: 4 },
      { type: 'symlink', path: `${DEEP}/link`, target: 'else/where' },
    ]);

    const places = createPlaces(root);
    for (const path of [`${DEEP}/file`, MIDDLE, '', `${DEEP}/file`]) {
      const place = places.to(path);
      expect(place.length).toBeLessThan(4000);
      if (path.endsWith('file')) expect(readFileSync(fsPath(place), 'utf8')).toBe('text');
      else expect(readdirSync(fsPath(place))).toHaveLength(1);
    }
    expect(openFiles() - open).toBeLessThan(16);
    places.close();
    expect(openFiles()).toBe(open);
  });

  it('is changed at any depth, and not left through a symlink that stands on the way', async () => {
    const { root, inmost } = await deepFolder(NAMES);
    writeFileSync(join(inmost, 'old'), '');
    symlinkSync('there', join(inmost, 'link'));
    const steps: Step[] = [
      { path: `${DEEP}/link`, before: { type: 'symlink', target: 'there' } },
      { path: `${MIDDLE}/sub`, after: { type: 'directory' } },
      { path: `${MIDDLE}/sub/link`, after: { type: 'symlink', target: 'here' } },
      { path: `${DEEP}/new`, after: { type: 'symlink', target: 'anywhere' } },
      { path: 'top', after: { type: 'symlink', target: 'there' } },
    ];
    const open = openFiles();

    expect(await applyChanges(root, steps)).toMatchObject({ done: 5, there: 0 });

    expect(openFiles()).toBe(open);
    expect(readdirSync(inmost).toSorted()).toEqual(['new', 'old']);
    expect(readlinkSync(join(inmost, 'new'))).toBe('anywhere');
    const links = (await scanFolder(root)).filter(({ type }) => type === 'symlink');
    expect(links.map(({ path }) => path)).toEqual(sortPaths([`${MIDDLE}/sub/link`, `${DEEP}/new`, 'top']));

    symlinkSync(await tempFolder(), join(inmost, 'away'));
    const astray: Step[] = [{ path: `${DEEP}/away/file`, after: { type: 'symlink', target: 'x' } }];
    await expect(applyChanges(root, astray)).rejects.toMatchObject({ code: 'file-changed' });
  });

  it('is made, and taken back', async () => {
    const { root } = await deepFolder([]);
    const steps: MakeStep[] = NAMES.map((_, at) => ({
      path: NAMES.slice(0, at + 1).join('/'),
      after: { type: 'directory' },
    }));
    const open = openFiles();
    const finish = async () => {
      expect(await scanFolder(root)).toHaveLength(3000);
      throw new Error('not this time');
    };
    await expect(applySteps(root, steps, { finish })).rejects.toThrow('not this time');
    expect(readdirSync(root)).toEqual([]);
    expect(openFiles()).toBe(open);
  });
});
