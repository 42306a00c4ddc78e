import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TextMap } from '../../src/state/text-map.ts';

/** Texts of every kind, and so few that they meet. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'ab',
    '12',
    '1 -2',
    '12f',
    'ff',
    'FF',
    '\0',
    'ÿ',
    'b\udc80',
    '\ud800',
    '世界/🦉',
    'x'.repeat(300),
  ),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

describe('texts by texts', () => {
  it('are what a map has, whatever is set and deleted', () => {
    const steps = fc.array(fc.tuple(text, fc.option(text, { nil: undefined })), { maxLength: 60 });
    fc.assert(
      fc.property(steps, (all) => {
        const [ours, map] = [new TextMap(), new Map<string, string>()];
        for (const [key, value] of all) {
          // One that is set again has its place behind the others.
          if (value === undefined || map.get(key) !== value) map.delete(key);
          if (value === undefined) ours.delete(key);
          else {
            ours.set(key, value);
            map.set(key, value);
          }
          expect([ours.size, ours.has(key), ours.get(key)]).toEqual([map.size, map.has(key), map.get(key)]);
        }
        expect([...ours]).toEqual([...map]);
        expect([...ours.keys()]).toEqual([...map.keys()]);
        for (const [key] of all) expect(ours.get(key)).toBe(map.get(key));
      }),
    );
  });

  it('are found again among many, in the order in which they were set, also once most were set anew and deleted', () => {
    const map = new TextMap();
    const digestAt = (n: number, turn: number) => createHash('sha256').update(`${n} ${turn}`).digest('hex');
    for (let turn = 0; turn < 4; turn++) for (let n = 0; n < 10_000; n++) map.set(`66 ${n} 1 -1`, digestAt(n, turn));
    for (let n = 0; n < 10_000; n++) if (n % 100 > 0) map.delete(`66 ${n} 1 -1`);
    map.set('long', 'ü'.repeat(2_000_000));
    map.set('longer', '世'.repeat(1_000_000));
    map.set('last', '');
    const rest = Array.from({ length: 100 }, (_, n) => [`66 ${n * 100} 1 -1`, digestAt(n * 100, 3)]);
    const long = [
      ['long', 'ü'.repeat(2_000_000)],
      ['longer', '世'.repeat(1_000_000)],
      ['last', ''],
    ];
    expect([...map]).toEqual([...rest, ...long]);
    expect([map.size, map.get('66 100 1 -1'), map.get('66 101 1 -1')]).toEqual([103, digestAt(100, 3), undefined]);
  });

  it('take 120 bytes each at most that are a stamp and a digest', () => {
    const before = process.memoryUsage().arrayBuffers;
    const map = new TextMap();
    const digest = createHash('sha256').digest('hex');
    for (let n = 0; n < 50_000; n++)
      map.set(`66 ${10_000_000 + n} 1024 1700000000123456789 1700000000123456789`, digest);
    expect((process.memoryUsage().arrayBuffers - before) / 50_000).toBeLessThan(120);
  });
});
