import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { replicateFolders } from '../../src/index.ts';
import { attempt, randomEdit } from '../helpers/random-edits.ts';
import { look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

it('whatever is done to a folder and its replica meanwhile, they are equal in the end, and nothing else changes', async () => {
  const step = fc.record({ edit: randomEdit, isTampering: fc.boolean(), isAwaited: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.boolean(), async (steps, restarts) => {
      const pair = await makePair({ a: 'x', 'b/a': 'y', 'b/b': 'x', c: 'long' });
      const stateDir = join(pair.top, 'state');
      const outside = snapshot(pair.outside);
      let scans = 0;
      const begin = () => {
        const end = new AbortController();
        const ended = replicateFolders(pair.src, pair.dst, {
          every: 1,
          watch: false,
          force: true,
          stateDir,
          until: end.signal,
          onEvent: (event) => {
            if (event.type === 'start' && event.task === 'scan') scans++;
          },
        });
        return async () => {
          end.abort();
          await ended;
        };
      };
      const nextScan = async () => {
        const from = scans;
        await expect.poll(() => scans, { interval: 1, timeout: 20_000 }).toBeGreaterThan(from + 1);
      };
      let stop = begin();
      for (const { edit: one, isTampering, isAwaited } of steps) {
        attempt(one, isTampering ? pair.dst : pair.src);
        if (isAwaited) await nextScan();
        if (isAwaited && restarts) {
          await stop();
          stop = begin();
        }
      }
      await expect.poll(() => look(pair.dst), { interval: 10, timeout: 20_000 }).toEqual(await look(pair.src));
      await stop();
      expect(await look(pair.dst)).toEqual(await look(pair.src));
      expect(snapshot(pair.outside)).toEqual(outside);
      rmSync(pair.top, { recursive: true });
    }),
    { numRuns: 60 },
  );
}, 120_000);
