import { expect, it } from 'vitest';
import { count } from '../../src/cli/text.ts';

it.each([0, 1, 12, 123, 1234, 12_345, 123_456, 1_234_567, 9_007_199_254_740_991])(
  '%i is counted as in English',
  (number) => {
    expect(count(number, 'file')).toBe(`${number.toLocaleString('en')} ${number === 1 ? 'file' : 'files'}`);
  },
);
