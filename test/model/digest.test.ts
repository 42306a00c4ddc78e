import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { digestToBase64, parseMd5 } from '../../src/model/digest.ts';

const HEX = 'd41d8cd98f00b204e9800998ecf8427e';

it('reads an MD5 in either case', () => {
  expect(parseMd5(HEX)).toEqual({ algorithm: 'md5', hex: HEX });
  expect(parseMd5(HEX.toUpperCase())).toEqual({ algorithm: 'md5', hex: HEX });
});

it.each([
  '',
  HEX.slice(1),
  `${HEX}0`,
  `${HEX}\n`,
  ` ${HEX.slice(1)}`,
  `g${HEX.slice(1)}`,
  `/${HEX.slice(1)}`,
  `../${HEX.slice(3)}`,
])('reads none from %j', (text) => {
  expect(parseMd5(text)).toBeUndefined();
});

it('gives what Content-MD5 takes', () => {
  expect(digestToBase64({ algorithm: 'md5', hex: HEX })).toBe(createHash('md5').digest('base64'));
});
