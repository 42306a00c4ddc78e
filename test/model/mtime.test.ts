import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMtime, isMtime, parseMtime } from '../../src/model/mtime.ts';

describe('a time of change', () => {
  it.each([
    ['1970-01-01T00:00:00.000000000Z', 0n],
    ['2026-01-02T03:04:05.123456789Z', 1767323045123456789n],
    ['1969-12-31T23:59:59.999999999Z', -1n],
    ['2024-02-29T00:00:00.000000001Z', 1709164800000000001n],
    ['0000-01-01T00:00:00.000000000Z', -62167219200000000000n],
    ['9999-12-31T23:59:59.999999999Z', 253402300799999999999n],
  ])('%s is %d nanoseconds', (text, since) => {
    expect(parseMtime(text)).toBe(since);
    expect(formatMtime(since)).toBe(text);
  });

  it.each([
    '',
    '2026-01-02',
    '2026-01-02T03:04:05Z',
    '2026-01-02T03:04:05.123Z',
    '2026-01-02T03:04:05.1234567890Z',
    '2026-01-02T03:04:05.123456789',
    '2026-01-02T03:04:05.123456789+00:00',
    '2026-02-30T03:04:05.123456789Z',
    '2026-13-02T03:04:05.123456789Z',
    '2026-01-02T24:00:00.000000000Z',
    '2026-01-02T03:04:60.123456789Z',
    '+02026-01-02T03:04:05.123456789Z',
  ])('is not %j', (text) => {
    expect(parseMtime(text)).toBeUndefined();
  });

  it.each([253402300800000000000n, -62167219200000000001n, 2n ** 80n, -(2n ** 80n)])(
    'of %d nanoseconds has no such text',
    (since) => expect(formatMtime(since)).toBeUndefined(),
  );

  it('is one where all its parts are those of a day', () => {
    const part = fc.constantFrom('00', '01', '02', '12', '13', '23', '24', '28', '29', '30', '31', '59', '60');
    fc.assert(
      fc.property(fc.constantFrom('2023', '2024'), fc.tuple(part, part, part, part, part), (year, parts) => {
        const [month, day, hour, minute, second] = parts;
        const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000000000Z`;
        expect(isMtime(text)).toBe(parseMtime(text) !== undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -62167219200000000000n, max: 253402300799999999999n }), (since) => {
        expect(parseMtime(formatMtime(since) ?? '')).toBe(since);
      }),
    );
  });
});
