import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrintTable, readPrintTable } from '../../src/cache/print-table.ts';
import { type Fingerprint, sameButCtime, sameFingerprint } from '../../src/model/fingerprint.ts';

const print: Fingerprint = [64769, 2 ** 40, 7, 1_792_000_000_000.25, 1_792_000_000_000.75];

describe('a table of fingerprints', () => {
  it('says what a look at each of them would say', () => {
    // Digests that differ in one digit, at the places where the numbers begin and end that they are kept as.
    const digits = [0, 2, 12, 13, 25, 26, 31];
    const hex = fc
      .tuple(fc.constantFrom(...digits), fc.constantFrom('0', '1', 'f'))
      .map(([at, digit]) => 'a'.repeat(32).replace(/./g, (one, place) => (place === at ? digit : one)));
    const small = fc.constantFrom(0, 1, 1.5);
    const prints = fc.tuple(small, small, small, small, small);
    const known = fc.array(fc.tuple(hex, prints), { maxLength: 30 });
    fc.assert(
      fc.property(known, hex, prints, (entries, wanted, seen) => {
        const byHex = new Map<string, Fingerprint[]>();
        for (const [digest, one] of entries) byHex.set(digest, [...(byHex.get(digest) ?? []), one]);
        const there = byHex.get(wanted) ?? [];
        const isSame = there.some((one) => sameFingerprint(one, seen));
        const expected = isSame ? 'same' : there.some((one) => sameButCtime(one, seen)) ? 'unsure' : 'unknown';
        const table = createPrintTable(byHex);
        expect(table.check(wanted, seen)).toBe(expected);
        expect(readPrintTable(table.bytes)?.check(wanted, seen)).toBe(expected);
        expect(new Map(readPrintTable(table.bytes)?.prints())).toEqual(byHex);
      }),
      { numRuns: 2_000 },
    );
  });

  it('knows nothing of what is no digest, and nothing where it is empty', () => {
    const odd = ['', 'a'.repeat(31), 'A'.repeat(32), `${'a'.repeat(31)}g`, '__proto__'];
    const table = createPrintTable(new Map(odd.map((hex) => [hex, [print]])));
    for (const hex of [...odd, 'a'.repeat(32)]) expect(table.check(hex, print)).toBe('unknown');
  });

  it('is read wherever its bytes stand, and not where they are no table', () => {
    const { bytes } = createPrintTable(new Map([0, 1, 2].map((n) => [`${n}${'a'.repeat(31)}`, [print]])));
    const moved = new Uint8Array(bytes.length + 3);
    moved.set(bytes, 3);
    expect(readPrintTable(moved.subarray(3))?.check(`1${'a'.repeat(31)}`, print)).toBe('same');
    const other = (at: number, number: number) => {
      const rows = new Float64Array(bytes.slice().buffer);
      rows[at] = number;
      return new Uint8Array(rows.buffer);
    };
    const swapped = Uint8Array.from(bytes).reverse();
    const damaged = [bytes.subarray(1), bytes.subarray(8), swapped, other(0, 2 ** 51), other(8, -1), other(9, 0.5)];
    for (const wrong of [...damaged, other(2, 16 ** 6), other(1, Number.NaN)]) {
      expect(readPrintTable(wrong)).toBeUndefined();
    }
  });
});
