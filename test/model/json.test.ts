import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLists, jsonObjects, parseJsonIfAny } from '../../src/model/json.ts';

/** Reads an object in pieces of at least so many bytes; what comes more than once counts as it comes last. */
function read(text: string, piece: number): unknown {
  const pieces = jsonObjects(Buffer.from(text), piece);
  return pieces && Object.fromEntries(Array.from(pieces).flatMap((entries) => Object.entries(entries)));
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
    const [entries = {}] = jsonObjects(Buffer.from('{"__proto__":{"a":1},"toString":2}')) ?? [];
    expect(Object.entries(entries)).toEqual([
      ['__proto__', { a: 1 }],
      ['toString', 2],
    ]);
  });

  it('are asked for one piece at a time', () => {
    const [first, second] = jsonObjects(Buffer.from('{"a":{"b":[1,2]},"c":{},"d":wrong}'), 1) ?? [];
    expect([first, second]).toEqual([{ a: { b: [1, 2] } }, { c: {} }]);
  });

  it('are found by what stands behind objects as long as that is no part of anything else', () => {
    const entries = { a: { b: '},' }, c: { d: { e: 1 }, f: 2 }, g: 'x"},"', h: { i: [{}, {}] }, j: {} };
    for (const text of [JSON.stringify(entries), JSON.stringify(entries, undefined, 1)]) {
      for (let piece = 1; piece < text.length; piece++) expect(read(text, piece)).toEqual(entries);
    }
  });
});

/** Reads what stands between the brackets of a list in pieces of at least so many characters. */
function readList(text: string, piece: number): unknown[] {
  return [...jsonLists(text, 1, text.length - 1, piece)].flat();
}

describe('what stands in a JSON list', () => {
  it('is what stands in it when it is read as a whole, wherever it is cut', () => {
    const list = fc.array(fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())));
    fc.assert(
      fc.property(list, fc.integer({ min: 1, max: 20 }), (values, piece) => {
        const text = JSON.stringify(values);
        expect(readList(text, piece)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('is nothing where the text is no JSON, wherever it is cut', () => {
    const part = fc.constantFrom('{', '}', '[', ']', '{}', '{"a":1}', ',', ',', ',', ' ', '1', '"');
    const text = fc.array(part, { maxLength: 12 }).map((parts) => `[{},${parts.join('')}]`);
    let refused = 0;
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 10 }), (text, piece) => {
        const expected = parseJsonIfAny(text);
        if (expected !== undefined) expect(readList(text, piece)).toEqual(expected);
        else {
          refused++;
          expect(() => readList(text, piece)).toThrow(SyntaxError);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
