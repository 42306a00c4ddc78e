import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { syncFolders } from '../../src/index.ts';
import { layOut } from '../helpers/files.ts';
import { age, look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

const helper = fileURLToPath(new URL('../helpers/die-at-call.mjs', import.meta.url));
const built = pathToFileURL(fileURLToPath(new URL('../../dist/src/index.js', import.meta.url)));

/** Replicates in a process that is killed before its n-th change; says whether it was. */
function dies(at: number, folders: readonly string[], stateDir: string): boolean {
  const program = `import { syncFolders } from '${built}'; await syncFolders(...JSON.parse(process.argv[1]));`;
  const { signal, status, stderr } = spawnSync(
    process.execPath,
    [
      '--import',
      helper,
      '--input-type=module',
      '-e',
      program,
      '--',
      JSON.stringify([...folders, { force: true, stateDir }]),
    ],
    { env: { DIE_AT: String(at) }, encoding: 'utf8' },
  );
  expect(signal === 'SIGKILL' || status === 0, stderr).toBe(true);
  return signal === 'SIGKILL';
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
