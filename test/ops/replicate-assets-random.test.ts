import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layOut } from '../helpers/files.ts';
import { attempt, randomEdit } from '../helpers/random-edits.ts';
import { makeFolder, randomFolder } from '../helpers/random-folders.ts';
import { look } from '../helpers/replica.ts';
import { createRig } from '../helpers/rig.ts';
import { snapshot } from '../helpers/snapshot.ts';

/** A project, and two folders. */
async function createWorld() {
  const rig = await createRig({ projects: { p: {} } });
  const [src, dst] = [join(rig.folder, 'src'), join(rig.folder, 'dst')];
  let assets = 0;
  return {
    ...rig,
    src,
    dst,
    begin() {
      for (const root of [src, dst]) {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
      }
      return { project: 'p', asset: `a${assets++}` };
    },
  };
}

/** What a folder holds, without times: where nothing else differs, there is no version. */
async function lookAtAll(root: string): Promise<unknown[]> {
  return (await look(root)).map((entry) => ({ ...(entry as object), mtime: undefined }));
}

it('whatever a folder holds, it comes back from an asset as it was, and again nothing is done', async () => {
  const { client, registry, src, dst, begin } = await createWorld();
  await fc.assert(
    fc.asyncProperty(randomFolder, randomFolder, async (first, second) => {
      const asset = begin();
      for (const [version, entries] of [first, second].entries()) {
        rmSync(src, { recursive: true });
        mkdirSync(src);
        makeFolder(src, entries);
        const { published, changes } = await client.syncToAsset(src, asset, { force: true });
        expect(changes.filter(({ sign }) => sign === 'E')).toEqual([]);
        expect(published || version === 1).toBe(true);
        const { failures } = await client.syncFromAsset(asset, dst, { force: true });
        expect(failures).toEqual([]);
        const as = published ? look : lookAtAll;
        expect(await as(dst)).toEqual(await as(src));
      }
      registry.resetCalls();
      expect((await client.syncToAsset(src, asset)).published).toBe(false);
      expect((await client.syncFromAsset(asset, dst)).operations).toEqual([]);
      expect(registry.count({ method: 'POST' })).toBe(0);
    }),
    { numRuns: 15 },
  );
}, 120_000);

it('whatever is done to a folder, its asset and the asset’s replica come to be what it is', async () => {
  const { client, folder, stateDir, src, dst, begin } = await createWorld();
  const step = fc.record({ edit: randomEdit, isTampering: fc.boolean(), isAwaited: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), fc.boolean(), async (steps, restarts) => {
      const asset = begin();
      layOut(src, { a: 'x', 'b/a': 'y', 'b/b': 'x', c: 'long' });
      layOut(folder, { outside: 'folder/', 'outside/canary': 'alive' });
      const outside = snapshot(join(folder, 'outside'));
      const start = () => {
        const end = new AbortController();
        const how = { every: 2, watch: false, force: true, stateDir, until: end.signal };
        const ended = [
          client.replicateToAsset(src, asset, { ...how, settle: 5 }),
          client.replicateFromAsset(asset, dst, how),
        ];
        return async () => {
          end.abort();
          await Promise.all(ended);
        };
      };
      const converged = async () =>
        expect.poll(() => lookAtAll(dst), { interval: 20, timeout: 20_000 }).toEqual(await lookAtAll(src));
      // A replica follows what is there.
      await client.syncToAsset(src, asset);
      let stop = start();
      for (const { edit, isTampering, isAwaited } of steps) {
        attempt(edit, isTampering ? dst : src);
        if (!isAwaited) continue;
        await converged();
        if (restarts) {
          await stop();
          stop = start();
        }
      }
      await converged();
      await stop();
      expect(await lookAtAll(dst)).toEqual(await lookAtAll(src));
      expect(snapshot(join(folder, 'outside'))).toEqual(outside);
    }),
    { numRuns: 15 },
  );
}, 120_000);
