import { expect, it } from 'vitest';
import { windowsFault } from '../../src/model/windows-names.ts';

it.each([
  'a:b',
  'sub/a:b/c',
  'a<b',
  'a>b',
  'a"b',
  'a|b',
  'what?',
  '*.csv',
  'a\tb',
  'a\u0001',
  'a.',
  'a ',
  'sub./a',
  'sub /a',
  'CON',
  'con.txt',
  'sub/Aux.tar.gz',
  'nul/x',
  'prn ',
  'CON .txt',
  'com1',
  'LPT9.csv',
  'com\u00b2',
  'CONIN$',
])('Windows cannot hold %j', (path) => {
  expect(windowsFault(path)).toMatch(/^has a name /);
});

it.each([
  'a',
  '.hidden',
  '..manifest',
  'a.b',
  'a b',
  'console.log',
  'com',
  'com10',
  'lpt',
  'auxiliary/con-trol',
  'nul-1',
  'é',
  "^&;,=+@#$%!~`'[](){}-_",
])('Windows can hold %j', (path) => {
  expect(windowsFault(path)).toBeUndefined();
});
