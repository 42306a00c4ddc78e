import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { isGypsumError } from '../../src/index.ts';
import { preparePauses } from '../helpers/pause-at-call.ts';
import { createRig, type Rig } from '../helpers/rig.ts';

vi.mock(import('proper-lockfile'), async (actual) => ({ ...(await actual()), lock: async () => async () => {} }));

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const FILES = { 'a.txt': 'content of a', 'sub/b.txt': 'content of b' };

type Work = (rig: Rig) => Promise<unknown>;

const clonePlace = ({ folder }: Rig) => join(folder, 'clone');
const mark = ({ cacheDir }: Rig) => join(cacheDir, 'status/p/a/v1/COMPLETE');

const save: Work = (rig) => rig.connect({ concurrency: 1 }).saveVersion(V1);
const clone: Work = (rig) => rig.connect({ concurrency: 1 }).cloneVersion(V1, clonePlace(rig));
const remove: Work = (rig) => rig.connect().removeCached([V1]).catch(unlessRefused);
const drop: Work = (rig) => rig.connect().dropFiles([join(clonePlace(rig), 'a.txt')]);

function unlessRefused(error: unknown): void {
  if (!isGypsumError(error, 'in-use') && !isGypsumError(error, 'not-found')) throw error;
}

const unmarked =
  (work: Work): Work =>
  async (rig) => {
    await work(rig);
    await rm(mark(rig));
  };

function expectNoneMissing(rig: Rig): void {
  if (!existsSync(mark(rig))) return;
  for (const path of [...Object.keys(FILES), '..manifest', '..summary'])
    expect(existsSync(join(rig.cacheDir, 'bucket/p/a/v1', path)), path).toBe(true);
}

async function expectClone(rig: Rig): Promise<void> {
  expectNoneMissing(rig);
  expect(await readFile(join(clonePlace(rig), 'a.txt'), 'utf8')).toBe('content of a');
  expect(await readFile(join(clonePlace(rig), 'sub/b.txt'), 'utf8')).toBe('content of b');
}

it.each<[what: string, before: Work, work: Work, meanwhile: Work, expectRight: (rig: Rig) => unknown]>([
  ['removed while it is fetched', async () => {}, save, remove, expectNoneMissing],
  ['removed while it is saved', unmarked(save), save, remove, expectNoneMissing],
  ['saved while it is removed', save, remove, save, expectNoneMissing],
  ['removed while it is cloned', unmarked(save), clone, remove, expectClone],
  ['cloned while it is removed', save, remove, clone, expectClone],
  ['saved while a file of it is dropped', clone, drop, save, expectNoneMissing],
  ['saved, of which a file is dropped meanwhile', unmarked(clone), save, drop, expectNoneMissing],
])(
  'where locks lie, a version may be %s, at each step',
  async (_what, before, work, meanwhile, expectRight) => {
    const rig = await createRig({ versions: { 'p/a/v1': FILES } });
    const workWith = preparePauses();
    for (let at = 0, isMet = true; isMet; at++) {
      await rm(rig.cacheDir, { recursive: true, force: true });
      await rm(clonePlace(rig), { recursive: true, force: true });
      await before(rig);
      isMet = await workWith(
        at,
        () => work(rig),
        () => meanwhile(rig),
      );
      if (isMet) await expectRight(rig);
    }
  },
  60_000,
);
