import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonEntries } from '../../src/model/json.ts';

/** Reads an object in pieces of at least so many bytes; what comes more than once counts as it comes last. */
function read(text: string, piece: number): unknown {
  const entries = jsonEntries(Buffer.from(text), piece);
  if (entries === undefined) return undefined;
  const read: Record<string, unknown> = Object.create(null);
  for (const [key, value] of entries) read[key] = value;
  return { ...read };
}

describe('the entries of a JSON object', () => {
  it('are those that it has when it is read as a whole, wherever it is cut', () => {
    const json = fc.oneof(
      fc.json(),
      fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()).map((value) => JSON.stringify(value)),
      fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value, undefined, '\t')),
    );
    fc.assert(
      fc.property(json, fc.integer({ min: 1, max: 20 }), (text, piece) => {
        const value: unknown = JSON.parse(text);
        const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
        const expected = isObject ? Object.fromEntries(Object.entries(value)) : undefined;
        expect(read(` \r\n${text}\t`, piece)).toEqual(expected);
      }),
    );
  });

  it('are none where the text is no JSON, wherever it is cut and whatever was changed', () => {
    const part = fc.constantFrom('{', '}', '[', ']', '"a"', '"b":1', ':', ',', ',', ' ', '1', '\\', '"');
    const text = fc.array(part, { maxLength: 12 }).map((parts) => `{"a":1,${parts.join('')}}`);
    let refused = 0;
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 10 }), (text, piece) => {
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          refused++;
          expect(() => read(text, piece)).toThrow(SyntaxError);
          return;
        }
        expect(read(text, piece)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });

  it.each([
    '',
    ' ',
    '{',
    '}',
    '{"a":1',
    '{"a":1,}',
    '{,"a":1}',
    '{  ,"a":1}',
    '{"a":1,,"b":2}',
    '{"a":1}{"b":2}',
    '{"a":1},{"b":2}',
    '{"a":"}',
    '{"a":[}',
    '{"a":[1},"b":2]',
  ])('are none in %j', (text) => {
    for (const piece of [1, 2, 100]) expect(() => read(text, piece)).toThrow(SyntaxError);
  });

  it('come with names of object prototypes as with any', () => {
    const entries = [...(jsonEntries(Buffer.from('{"__proto__":{"a":1},"toString":2}')) ?? [])];
    expect(entries).toEqual([
      ['__proto__', { a: 1 }],
      ['toString', 2],
    ]);
  });

  it('are asked for one piece at a time', () => {
    const [first, second] = jsonEntries(Buffer.from('{"a":{"b":[1,2]},"c":{},"d":wrong}'), 1) ?? [];
    expect([first, second]).toEqual([
      ['a', { b: [1, 2] }],
      ['c', {}],
    ]);
  });
});
