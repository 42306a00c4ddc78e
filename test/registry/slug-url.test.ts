import fc from 'fast-check';
import { expect, it } from 'vitest';
import { passableSlugUrl } from '../../src/registry/slug-url.ts';

const BASE = '/upload/presigned-file/';
const slugOf = (fields: readonly string[]) => Buffer.from(JSON.stringify(fields), 'latin1').toString('base64');
const fieldsOf = (slug: string) => JSON.parse(Buffer.from(slug, 'base64').toString('latin1'));

it.each([
  ['without a slash', `${BASE}${slugOf(['p', 'a', 'v', 'x.txt', '0'])}`],
  ['of ours', `${BASE}WyJwIl0.c2lnbmVk`],
  ['that says nothing', `${BASE}a/b`],
  ['of another route', '/upload/complete/p/a/v'],
])('a slug %s stays as it is', (_what, url) => {
  expect(passableSlugUrl(url)).toBe(url);
});

it('a slug with a slash gets another form, which says the same without one', () => {
  const latin1 = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });
  let slashes = 0;
  fc.assert(
    fc.property(
      fc.array(fc.oneof(latin1, fc.constantFrom('?', 'a?', 'ab?', 'ÿÿÿ', '\x7f')), { maxLength: 5 }),
      (fields) => {
        const slug = slugOf(fields);
        if (slug.includes('/')) slashes++;
        const passable = passableSlugUrl(`https://h${BASE}${slug}`).slice(`https://h${BASE}`.length);
        expect(passable).not.toContain('/');
        expect(fieldsOf(passable)).toEqual(fields);
      },
    ),
  );
  expect(slashes).toBeGreaterThan(0);
});
