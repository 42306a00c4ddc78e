import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { replicateFolders } from '../../src/index.ts';
import { openReplicaState } from '../../src/state/replica-state.ts';
import { built, diesAt } from '../helpers/dies-at.ts';
import { layOut } from '../helpers/files.ts';
import { age, look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

/** Keeps a replica in a process that is killed before its n-th change, of what is remembered too; says whether it was. */
function dies(at: number, folders: readonly string[], stateDir: string): boolean {
  const program = `import { replicateFolders } from '${built('index.js')}';
    const [source, destination, stateDir] = JSON.parse(process.argv[1]);
    const end = new AbortController();
    const onResult = () => end.abort();
    await replicateFolders(source, destination, { every: 1, watch: false, force: true, stateDir, until: end.signal, onResult });`;
  return diesAt(at, program, [...folders, stateDir]);
}

it('a replica that is killed anywhere goes on where it was, and nothing else has changed', async () => {
  const pair = await makePair();
  const { top, src, dst } = pair;
  const stateDir = join(top, 'state');
  const aside: string[] = [];
  const keepOnce = async () => {
    const end = new AbortController();
    await replicateFolders(src, dst, {
      every: 1,
      watch: false,
      force: true,
      stateDir,
      until: end.signal,
      onSetAside: (path) => aside.push(path),
      // One time is enough.
      onEvent: (event) => event.type === 'end' && event.task === 'change' && end.abort(),
    });
  };
  const begin = async () => {
    for (const root of [src, dst, stateDir]) {
      rmSync(root, { recursive: true, force: true });
      mkdirSync(root);
    }
    layOut(src, { a: 'x', b: 'y', 'old/c': 'c', 'old/d': 'd', type: 't', same: 's', edited: 'before', gone: 'g' });
    await keepOnce();
    rmSync(src, { recursive: true });
    mkdirSync(src);
    layOut(src, {
      a: 'y',
      b: 'x',
      'new/c': 'c',
      'new/d': 'd',
      'type/f': 't',
      same: 's',
      edited: 'after',
      'made/g': 'gg',
    });
    layOut(dst, { extra: 'extra' });
    chmodSync(join(src, 'same'), 0o600);
    for (const path of ['a', 'b', 'same']) age(join(src, path));
  };
  let kills = 0;
  for (let isKilled = true; isKilled; kills++) {
    await begin();
    const wanted = await look(src);
    const outside = snapshot(join(top, 'outside'));
    isKilled = dies(kills, [src, dst], stateDir);
    // What both have was never without its name.
    const there = Object.keys(snapshot(dst));
    expect(there, `killed at ${kills}`).toEqual(expect.arrayContaining(['a', 'b', 'same', 'edited']));
    expect(await look(src)).toEqual(wanted);
    await keepOnce();
    expect(await look(dst), `killed at ${kills}`).toEqual(wanted);
    expect(snapshot(join(top, 'outside'))).toEqual(outside);
  }
  expect(aside).toEqual([]);
  expect(kills).toBeGreaterThan(20);
}, 300_000);

it.each<[string, number]>([
  ['for the first time', 0],
  ['anew', 1001],
])(
  'what is remembered of a replica is as it was or as it is to be, where a kill comes while it is written %s',
  async (_, turns) => {
    const program = `import { openReplicaState } from '${built('state/replica-state.js')}';
    const [folder] = JSON.parse(process.argv[1]);
    openReplicaState(folder, '/src', '/dst').keep(new Map([['a', 'new']]));`;
    let kills = 0;
    for (let isKilled = true; isKilled; kills++) {
      const folder = await tempFolder();
      const before = openReplicaState(folder, '/src', '/dst');
      // As many lines as are let lie.
      for (let turn = 0; turn < turns; turn++) before.keep(new Map([['a', `${turn}`]]));
      before.close();
      const was = before.entries?.get('a');
      isKilled = diesAt(kills, program, [folder]);
      const { setAside, entries } = openReplicaState(folder, '/src', '/dst');
      expect(setAside, `killed at ${kills}`).toBeUndefined();
      expect(isKilled ? [was, 'new'] : ['new']).toContain(entries?.get('a'));
      const files = readdirSync(join(folder, 'replicas')).map((name) =>
        readFileSync(join(folder, 'replicas', name), 'utf8'),
      );
      if (!isKilled) expect(files.map((text) => text.split('\n').length)).toEqual([4]);
    }
    expect(kills).toBeGreaterThan(2);
  },
);
