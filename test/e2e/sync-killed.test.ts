import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { syncFolders } from '../../src/index.ts';
import { built, diesAt } from '../helpers/dies-at.ts';
import { layOut } from '../helpers/files.ts';
import { age, look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

/** Replicates in a process that is killed before its n-th change; says whether it was. */
function dies(at: number, folders: readonly string[], stateDir: string): boolean {
  const program = `import { syncFolders } from '${built('index.js')}'; await syncFolders(...JSON.parse(process.argv[1]));`;
  return diesAt(at, program, [...folders, { force: true, stateDir }]);
}

it('a replica whose making is killed anywhere is made by another run, and nothing else has changed', async () => {
  const pair = await makePair();
  const { top, src, dst } = pair;
  const stateDir = join(top, 'state');
  const begin = () => {
    for (const root of [src, dst, stateDir]) {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
    }
    layOut(dst, {
      a: 'x',
      b: 'y',
      'old/c': 'c',
      'old/d': 'd',
      type: 't',
      'folder/e': 'e',
      same: 's',
      edited: 'before',
      gone: 'g',
      l: { link: 'a' },
    });
    layOut(src, {
      a: 'y',
      b: 'x',
      'new/c': 'c',
      'new/d': 'd',
      'type/f': 't',
      folder: 'ff',
      same: 's',
      edited: 'after',
      'made/g': 'gg',
      l: { link: 'b' },
    });
    chmodSync(join(dst, 'old'), 0o500);
    chmodSync(join(src, 'new'), 0o500);
    chmodSync(join(src, 'same'), 0o600);
    for (const path of ['a', 'b', 'same']) age(join(src, path));
  };
  let kills = 0;
  for (let isKilled = true; isKilled; kills++) {
    begin();
    const outside = snapshot(top, dst);
    const wanted = await look(src);
    isKilled = dies(kills, [src, dst], stateDir);
    const now = snapshot(dst);
    // What both have was never without its name.
    expect(Object.keys(now), `killed at ${kills}`).toEqual(expect.arrayContaining(['a', 'b', 'same', 'edited', 'l']));
    expect(await look(src)).toEqual(wanted);
    const { failures } = await syncFolders(src, dst, { force: true, stateDir });
    expect(failures).toEqual([]);
    expect(await look(dst), `killed at ${kills}`).toEqual(wanted);
    expect((await syncFolders(src, dst, { stateDir })).operations).toEqual([]);
    rmSync(stateDir, { recursive: true });
    mkdirSync(stateDir);
    expect(Object.keys(snapshot(top, dst))).toEqual(Object.keys(outside));
  }
  expect(kills).toBeGreaterThan(20);
}, 300_000);
