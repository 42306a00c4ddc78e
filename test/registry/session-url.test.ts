import { expect, it } from 'vitest';
import { encodeSessionUrl } from '../../src/registry/session-url.ts';

it.each([
  ['/upload/complete/p/a/v', '/upload/complete/p/a/v'],
  ['/upload/complete/my project/a?b#c/1%20', '/upload/complete/my%20project/a%3Fb%23c/1%2520'],
  ['/upload/abort/é/😀/v', '/upload/abort/%C3%A9/%F0%9F%98%80/v'],
  ['https://gypsum.example.org/upload/complete/p q/a/v', 'https://gypsum.example.org/upload/complete/p%20q/a/v'],
  ['http://127.0.0.1:8080/sub/upload/x y', 'http://127.0.0.1:8080/sub/upload/x%20y'],
  ['https://gypsum.example.org', 'https://gypsum.example.org'],
  ['/upload/complete/http://a b', '/upload/complete/http%3A//a%20b'],
])('the plain %j is asked for as %j', (plain, encoded) => {
  expect(encodeSessionUrl(plain)).toBe(encoded);
});

it('what was encoded is read again as the same names by whoever splits and decodes', () => {
  const names = ['a b', '100%', 'a?b', 'a#b', '%2F', 'é😀', 'a+b', "it's"];
  const { pathname } = new URL(encodeSessionUrl(`/x/${names.join('/')}`), 'http://h');
  expect(pathname.split('/').slice(2).map(decodeURIComponent)).toEqual(names);
});
