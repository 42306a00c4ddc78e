import { lstatSync, lutimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileTime } from '../../src/tree/file-time.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const SECOND = 1_000_000_000n;

/** What versions of Node make of seconds: cut off at the microsecond, and at the nanosecond. */
const KERNEL_TIMES: readonly ((seconds: number) => bigint)[] = [
  (seconds) => BigInt(Math.trunc(seconds)) * SECOND + (BigInt(Math.trunc(seconds * 1e6)) % 1_000_000n) * 1000n,
  (seconds) => BigInt(Math.trunc(seconds)) * SECOND + BigInt(Math.trunc((seconds - Math.trunc(seconds)) * 1e9)),
];

const times = fc.bigInt({ min: 0n, max: 2n ** 31n * SECOND });

describe('the time of a file', () => {
  it('is the same to the microsecond, however the seconds are cut off', () => {
    fc.assert(
      fc.property(times, (time) => {
        for (const kernelTime of KERNEL_TIMES) {
          expect(kernelTime(Number(fileTime(time))) / 1000n).toBe(time / 1000n);
        }
      }),
    );
  });

  it('stays a whole second', () => {
    fc.assert(
      fc.property(times, (time) => {
        const whole = (time / SECOND) * SECOND;
        for (const kernelTime of KERNEL_TIMES) expect(kernelTime(Number(fileTime(whole)))).toBe(whole);
      }),
    );
  });

  it.each([0n, 1_000_000_500n, 1_760_000_000_123_456_789n, -1_500_000_000n, -86_400_000_000_000n])(
    'of %d nanoseconds is that of a file that it is given to',
    async (time) => {
      const file = join(await tempFolder(), 'file');
      writeFileSync(file, '');
      lutimesSync(file, fileTime(time), fileTime(time));
      expect(lstatSync(file, { bigint: true }).mtimeNs / 1000n).toBe(time / 1000n);
    },
  );
});
