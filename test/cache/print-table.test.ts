import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrintTable } from '../../src/cache/print-table.ts';
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
        expect(createPrintTable(byHex).check(wanted, seen)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it('knows nothing of what is no digest, and nothing where it is empty', () => {
    const odd = ['', 'a'.repeat(31), 'A'.repeat(32), `${'a'.repeat(31)}g`, '__proto__'];
    const table = createPrintTable(new Map(odd.map((hex) => [hex, [print]])));
    for (const hex of [...odd, 'a'.repeat(32)]) expect(table.check(hex, print)).toBe('unknown');
  });
});
