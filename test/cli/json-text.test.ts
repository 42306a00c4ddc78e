import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonText } from '../../src/cli/json-text.ts';

it('is the text of the whole, whatever the value', () => {
  const date = new Date(0);
  const values = [
    ...[null, 'a\nb', 1, true, [], {}, [[]], [{}], { a: [] }, { a: {} }, date],
    { when: date, none: undefined, list: [undefined, date, [1, [2]], { a: [{ b: 'c\n' }] }], last: null },
    Object.assign(Object.create(null), { 'a\n"': { b: 1 }, 2: 'x' }),
  ];
  for (const value of values) expect([...jsonText(value)].join('')).toBe(JSON.stringify(value, undefined, 2));
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      expect([...jsonText(value)].join('')).toBe(JSON.stringify(value, undefined, 2));
    }),
  );
});

it('comes in pieces, of lists, lists in a result, and objects in it', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({ path: `file-${at}`, size: at }));
  for (const value of [many, { steps: many, left: [] }, { files: Object.fromEntries(many.entries()) }]) {
    const pieces = [...jsonText(value)];
    expect(pieces.join('')).toBe(JSON.stringify(value, undefined, 2));
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000);
  }
});
