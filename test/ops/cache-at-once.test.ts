import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isGypsumError, parseVersionRef } from '../../src/index.ts';
import { createRig } from '../helpers/rig.ts';

/** How often something is cloned; more is worth the time now and then. */
const CLONES = Number(process.env.GYPSUM_CACHE_CLONES ?? 9);

const filesOf = (version: number) =>
  Object.fromEntries(
    Array.from({ length: 9 }, (_, n) => [`d${n % 3}/f${n}`, `content ${n % 5} ${n % 2 === 0 ? '' : version}`]),
  );
const ref = (n: number) => parseVersionRef(`p/a/v${n % 3}`);

it('clones are whole and nothing is wrong while others save, prune, remove, verify and repair', async () => {
  const versions = Object.fromEntries([0, 1, 2].map((version) => [`p/a/v${version}`, filesOf(version)]));
  const rig = await createRig({ versions });
  let over = false;
  const others = [
    (n: number) => rig.client.saveVersion(ref(n)) as Promise<unknown>,
    () => rig.client.pruneCache({ unused: true, forgetMissing: true }),
    (n: number) => rig.client.removeCached([ref(n)]).catch(unlessRefused),
    (n: number) => rig.client.verifyCache([], { deep: n % 2 === 0 }).then(expectRight),
    () => rig.client.verifyCache([], { repair: true }).then(expectRight),
  ].map(async (work) => {
    for (let n = 0; !over; n++) await work(n);
  });
  const clone = async () => {
    for (let n = 0; n < CLONES; n++) {
      const place = join(rig.folder, `clone${n}`);
      await rig.connect().cloneVersion(ref(n), place);
      for (const [path, content] of Object.entries(filesOf(n % 3))) {
        expect(readFileSync(join(place, path), 'utf8')).toBe(content);
      }
      rmSync(place, { recursive: true });
    }
  };
  const cloned = clone().finally(() => {
    over = true;
  });
  await Promise.all([cloned, ...others]);
  await rig.client.verifyCache([], { repair: true });
  expect((await rig.client.verifyCache([], { deep: true })).problems).toEqual([]);
}, 120_000);

/** A document may stand alone for a moment, if the other was removed between two writes. */
function expectRight({ problems }: { problems: readonly { fault: string }[] }): void {
  expect(problems.filter(({ fault }) => fault !== 'stale-document')).toEqual([]);
}

function unlessRefused(error: unknown): void {
  if (!isGypsumError(error, 'in-use') && !isGypsumError(error, 'not-found')) throw error;
}
