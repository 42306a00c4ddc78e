import fc from 'fast-check';
import { expect, it } from 'vitest';
import { jsonText } from '../../src/model/json-text.ts';

it('is the text of the whole, whatever the value', () => {
  const date = new Date(0);
  const values = [
    ...[null, 'a\nb', 1, true, [], {}, [[]], [{}], { a: [] }, { a: {} }, date],
    { when: date, none: undefined, list: [undefined, date, [1, [2]], { a: [{ b: 'c\n' }] }], last: null },
    Object.assign(Object.create(null), { 'a\n"': { b: 1 }, 2: 'x' }),
  ];
  const check = (value: unknown, indent: number): void => {
    expect([...jsonText(value, indent)].join('')).toBe(JSON.stringify(value, undefined, indent));
  };
  for (const value of values) for (const indent of [0, 2]) check(value, indent);
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), check));
});

it('comes in pieces, of lists, lists in a result, and objects in it', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({ path: `file-${at}`, size: at }));
  for (const value of [many, { steps: many, left: [] }, { files: Object.fromEntries(many.entries()) }]) {
    const pieces = [...jsonText(value, 2)];
    expect(pieces.join('')).toBe(JSON.stringify(value, undefined, 2));
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(70_000);
  }
});

it('has what makes its items one by one as a list, as often as it is asked for', () => {
  const items = {
    *[Symbol.iterator]() {
      yield { a: 1 };
      yield { b: [2] };
    },
  };
  for (let time = 0; time < 2; time++) {
    expect([...jsonText({ items, more: 1 })].join('')).toBe('{"items":[{"a":1},{"b":[2]}],"more":1}');
  }
});
