import { describe, expect, it } from 'vitest';
import { checkUploadPlan } from '../../src/model/check-upload-plan.ts';
import type { UploadPlan } from '../../src/model/upload-plan.ts';

const md5sum = 'd41d8cd98f00b204e9800998ecf8427e';
const file = { path: 'a', size: 0, md5sum, source: '/data/a' };
const link = { path: 'b/c', size: 0, md5sum, link: { project: 'p', asset: 'a', version: 'v1', path: 'x' } };
const plan: UploadPlan = { project: 'p', asset: 'a', version: 'v2', files: [file], links: [link] };
/** A link to a file beside it, which is sent. */
const EQUAL = { ...file, path: 'b', source: '/data/b', link: { project: 'p', asset: 'a', version: 'v2', path: 'a' } };

describe('a plan', () => {
  it.each<[string, UploadPlan]>([
    ['as it is', plan],
    ['with a file that is to be the same as another', { ...plan, links: [EQUAL] }],
    ['of nothing', { ...plan, files: [], links: [] }],
    [
      'with all that it may say',
      {
        ...plan,
        links: [{ ...link, source: '/data/caf\udce9', seen: [1, 2, 0, 1.5, 2.5] }],
        ignored: 3,
        unchangedSince: { project: 'p', asset: 'a', version: 'v1' },
      },
    ],
  ])('comes through JSON: %s', (_name, value) => {
    expect(checkUploadPlan(JSON.parse(JSON.stringify(value)))).toEqual(value);
  });

  it('loses what it does not say', () => {
    expect(checkUploadPlan({ ...plan, token: 'x', files: [{ ...file, url: 'http://x' }] })).toEqual(plan);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no JSON', 'no JSON'],
    ['null', null],
    ['a list', [plan]],
    ['no files', { ...plan, files: undefined }],
    ['files that are no list', { ...plan, files: { a: file } }],
    ['a file without a source', { ...plan, files: [{ ...file, source: undefined }] }],
    ['a source that depends on the current folder', { ...plan, files: [{ ...file, source: 'data/a' }] }],
    ['a source with NUL', { ...plan, files: [{ ...file, source: '/data/a\0' }] }],
    ['a path that leaves the version', { ...plan, files: [{ ...file, path: '../a' }] }],
    ['an absolute path', { ...plan, files: [{ ...file, path: '/a' }] }],
    ['a path of the registry’s own', { ...plan, files: [{ ...file, path: '..summary' }] }],
    ['a path twice', { ...plan, files: [file, file] }],
    ['a path that is a link too', { ...plan, files: [file, { ...file, path: 'b/c' }] }],
    ['a path below another', { ...plan, files: [{ ...file, path: 'b' }] }],
    ['a negative size', { ...plan, files: [{ ...file, size: -1 }] }],
    ['a size with a fraction', { ...plan, files: [{ ...file, size: 0.5 }] }],
    ['a size beyond all', { ...plan, files: [{ ...file, size: 2 ** 60 }] }],
    ['a digest that is none', { ...plan, files: [{ ...file, md5sum: 'x' }] }],
    ['a link without a target', { ...plan, links: [{ ...link, link: undefined }] }],
    ['a link that leaves its version', { ...plan, links: [{ ...link, link: { ...link.link, path: '../x' } }] }],
    ['a link into a hostile project', { ...plan, links: [{ ...link, link: { ...link.link, project: '..' } }] }],
    ['a link to a file beside it that is not sent', { ...plan, files: [], links: [EQUAL] }],
    ['a link to a file beside it of another size', { ...plan, links: [{ ...EQUAL, size: 1 }] }],
    ['a link to a file beside it of another content', { ...plan, links: [{ ...EQUAL, md5sum: '0'.repeat(32) }] }],
    ['a link to a file beside it that is nowhere', { ...plan, links: [{ ...EQUAL, source: undefined }] }],
    ['a hostile version', { ...plan, version: 'a/b' }],
    ['a hostile version that nothing has changed since', { ...plan, unchangedSince: 'v1' }],
  ])('is refused with %s', (_name, value) => {
    expect(() => checkUploadPlan(value)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', message: expect.stringMatching(/^This is not the plan/) }),
    );
  });
});
