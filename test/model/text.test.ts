import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { showText } from '../../src/model/text.ts';

describe('text that is shown', () => {
  it.each([
    ['plain é 😀', 'plain é 😀'],
    ['\u001b[2J', '\\x1b[2J'],
    ['a\nb\r\tc\0', 'a\\x0ab\\x0d\\x09c\\x00'],
    ['a line\n', 'a line\\x0a'],
    ['\u007f\u0085\u009b', '\\x7f\\x85\\x9b'],
    ['\u202egpj.exe', '\\u202egpj.exe'],
    ['\u2066\u2069\u200e\u200f\u061c', '\\u2066\\u2069\\u200e\\u200f\\u061c'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['\udcff', '\\xff'],
    ['\ud800x', '\\ud800x'],
    ['\udc7f', '\\udc7f'],
  ])('shows %j as %j', (text, shown) => {
    expect(showText(text)).toBe(shown);
  });

  it('is well formed and has no control characters', () => {
    const unit = fc.oneof(
      fc.nat(0xffff).map((code) => String.fromCharCode(code)),
      fc.constantFrom('\ud83d', '\ude00', '\udc80', '\u200f', '\u202a', '\u009b', '\\'),
    );
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const shown = showText(text);
        expect(shown.isWellFormed()).toBe(true);
        expect(shown).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
      }),
      { numRuns: 2_000 },
    );
  });
});
