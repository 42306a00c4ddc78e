import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameFault, pathFault } from '../../src/model/names.ts';
import {
  checkFileRef,
  checkVersionRef,
  formatFileRef,
  formatRef,
  parseFileRef,
  parseRef,
  parseTreeRef,
  parseVersionRef,
  sameVersion,
} from '../../src/model/refs.ts';
import { showText } from '../../src/model/text.ts';

const refused = expect.objectContaining({ code: 'invalid-argument' });

describe('a ref', () => {
  it.each([
    ['p/a', { project: 'p', asset: 'a' }],
    ['p/a/v', { project: 'p', asset: 'a', version: 'v' }],
    ['test-R/basic/1.0 beta', { project: 'test-R', asset: 'basic', version: '1.0 beta' }],
  ])('is read from %j and written the same way', (text, ref) => {
    expect(parseRef(text)).toEqual(ref);
    expect(formatRef(ref)).toBe(text);
  });

  it.each([
    '',
    'p',
    'p/',
    '/a',
    'p//v',
    'p/a/',
    '/p/a',
    'p/a/v/x',
    'p/a/v/',
    '../a',
    'p/..',
    'p/a/..manifest',
    './a/v',
    'p/a\0',
  ])('is not %j', (text) => {
    expect(() => parseRef(text)).toThrow(refused);
  });

  it('names all three where a version is needed', () => {
    expect(parseVersionRef('p/a/v')).toEqual({ project: 'p', asset: 'a', version: 'v' });
    expect(() => parseVersionRef('p/a')).toThrow(refused);
  });

  it('survives being written and read for every printable name', () => {
    const name = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((text) => nameFault(text) === undefined && showText(text) === text);
    fc.assert(
      fc.property(name, name, fc.option(name, { nil: undefined }), (project, asset, version) => {
        const ref = version === undefined ? { project, asset } : { project, asset, version };
        expect(parseRef(formatRef(ref))).toEqual(ref);
      }),
    );
  });
});

it.each([
  ['p/a/v1/raw/b.bin', 'If a file of it is meant: p/a/v1:/raw/b.bin'],
  ['p/a/v1:/raw/b.bin', 'That is a file: "gypsum path" takes one, and "save" and "clone" have --include.'],
  ['p/a:/raw/b.bin', 'That is a file: "gypsum path" takes one, and "save" and "clone" have --include.'],
])('%j, which is no ref, comes with what to write', (text, hint) => {
  expect(() => parseRef(text)).toThrow(
    expect.objectContaining({ hint: `Write it as project/asset or project/asset/version. ${hint}` }),
  );
});

it.each(['p/a/v1/', 'p'])('%j, which is no ref, comes with how one is written', (text) => {
  expect(() => parseVersionRef(text)).toThrow(expect.objectContaining({ hint: 'Write it as project/asset/version.' }));
});

describe('a file ref as text', () => {
  it.each([
    ['p/a/v:/x', { project: 'p', asset: 'a', version: 'v', path: 'x' }],
    ['p/a/v:/x/y:/z', { project: 'p', asset: 'a', version: 'v', path: 'x/y:/z' }],
    ['p/a:/x', { project: 'p', asset: 'a', path: 'x' }],
    ['p/a:/x/y/z', { project: 'p', asset: 'a', path: 'x/y/z' }],
    ['p/a:/v:/x', { project: 'p', asset: 'a:', version: 'v', path: 'x' }],
    ['p:/a/v::/x', { project: 'p:', asset: 'a', version: 'v:', path: 'x' }],
  ])('is read from %j', (text, ref) => {
    expect(parseFileRef(text)).toEqual(ref);
  });

  it.each(['', 'p/a/v', 'p/a/v:', 'p/a/v:/', 'p/a/v:x', 'p:/x', 'p/a/v:/../x', 'p/a/v://x', 'p/../v:/x', 'p/a/v/x:/y'])(
    'is not %j',
    (text) => {
      expect(() => parseFileRef(text)).toThrow(refused);
    },
  );

  it('survives being written and read for every printable name and path', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((one) => showText(one) === one);
    const name = text.filter((one) => nameFault(one) === undefined);
    const path = text.filter((one) => pathFault(one) === undefined);
    fc.assert(
      fc.property(name, name, name, path, (project, asset, version, file) => {
        const ref = { project, asset, version, path: file };
        expect(parseFileRef(formatFileRef(ref))).toEqual(ref);
      }),
    );
  });
});

describe('a version ref and a file ref', () => {
  const ref = { project: 'p', asset: 'a', version: 'v' };

  it('are checked part by part, and lose what is not theirs', () => {
    expect(checkVersionRef(Object.assign({ more: true }, ref))).toEqual(ref);
    expect(checkFileRef({ ...ref, path: 'x/y' })).toEqual({ ...ref, path: 'x/y' });
  });

  it.each(['project', 'asset', 'version'])('are refused with a hostile %s', (part) => {
    expect(() => checkVersionRef({ ...ref, [part]: '..' })).toThrow(refused);
    expect(() => checkFileRef({ ...ref, path: 'x', [part]: 'a/b' })).toThrow(refused);
  });

  it('are refused with a hostile path', () => {
    expect(() => checkFileRef({ ...ref, path: '../x' })).toThrow(refused);
  });

  it('are shown without bytes that a terminal would obey', () => {
    expect(formatFileRef({ ...ref, path: 'x/\u001b[0m' })).toBe('p/a/v:/x/\\x1b[0m');
  });

  it('are the same version only if all three names are', () => {
    expect(sameVersion(ref, { ...ref })).toBe(true);
    for (const part of ['project', 'asset', 'version']) expect(sameVersion(ref, { ...ref, [part]: 'x' })).toBe(false);
  });
});

describe('a path in a tree', () => {
  it.each([
    ['p/a', { project: 'p', asset: 'a', path: '/' }],
    ['p/a:/', { project: 'p', asset: 'a', path: '/' }],
    ['p/a/v', { project: 'p', asset: 'a', version: 'v', path: '/' }],
    ['p/a/v:/x/', { project: 'p', asset: 'a', version: 'v', path: '/x/' }],
    ['p/a/v:/../x/./y', { project: 'p', asset: 'a', version: 'v', path: '/../x/./y' }],
    ['p/a:/v:/x', { project: 'p', asset: 'a:', version: 'v', path: '/x' }],
    ['p/a/v:/x%20y', { project: 'p', asset: 'a', version: 'v', path: '/x%20y' }],
  ])('is read from %j', (text, ref) => expect(parseTreeRef(text)).toEqual(ref));

  it.each(['', 'p', 'p/a/v/x', 'p/a/v://x', 'p/a/v:/x//y', 'p/a/v:/x\0'])('is not %j', (text) => {
    expect(() => parseTreeRef(text)).toThrow(refused);
  });
});
