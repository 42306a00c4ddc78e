import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSystemError } from '../../src/errors.ts';
import { replicateFolders } from '../../src/index.ts';
import { fileTime } from '../../src/tree/file-time.ts';
import { look, makePair } from '../helpers/replica.ts';
import { snapshot } from '../helpers/snapshot.ts';

const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const content = fc.constantFrom('', 'x', 'y', 'long', 'much longer');

type Edit = (root: string) => void;

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(path, content).map(
    ([at, text]): Edit =>
      (root) => {
        mkdirSync(join(root, at, '..'), { recursive: true });
        writeFileSync(join(root, at), text);
      },
  ),
  // Neither size nor time tells.
  fc.tuple(path, content).map(
    ([at, text]): Edit =>
      (root) => {
        const { mtimeNs, size } = lstatSync(join(root, at), { bigint: true });
        writeFileSync(join(root, at), text.padEnd(Number(size)).slice(0, Number(size)), { flag: 'r+' });
        utimesSync(join(root, at), fileTime(mtimeNs), fileTime(mtimeNs));
      },
  ),
  path.map(
    (at): Edit =>
      (root) =>
        mkdirSync(join(root, at), { recursive: true }),
  ),
  path.map(
    (at): Edit =>
      (root) =>
        rmSync(join(root, at), { recursive: true }),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Edit =>
      (root) =>
        renameSync(join(root, from), join(root, to)),
  ),
  fc.tuple(path, path).map(
    ([at, target]): Edit =>
      (root) =>
        symlinkSync(`${root}-nowhere/${target}`, join(root, at)),
  ),
  fc.tuple(path, fc.constantFrom(0o600, 0o644, 0o711)).map(
    ([at, mode]): Edit =>
      (root) => {
        if (lstatSync(join(root, at)).isFile()) chmodSync(join(root, at), mode);
      },
  ),
);

/** Makes edits that may not be possible; says nothing of those that are not. */
function attempt(one: Edit, root: string): void {
  try {
    one(root);
  } catch (error) {
    const impossible = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'EINVAL', 'ELOOP'];
    if (!isSystemError(error, ...impossible)) throw error;
  }
}

it('whatever is done to a folder and its replica meanwhile, they are equal in the end, and nothing else changes', async () => {
  const step = fc.record({ edit, isTampering: fc.boolean(), isAwaited: fc.boolean() });
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
