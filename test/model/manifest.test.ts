import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGypsumError } from '../../src/errors.ts';
import {
  checkManifest,
  entryDigest,
  entrySource,
  MAX_FILE_BYTES,
  type Manifest,
  manifestPaths,
} from '../../src/model/manifest.ts';
import { pathFault } from '../../src/model/names.ts';
import { comparePaths, isBelow } from '../../src/model/tree.ts';

const ref = { project: 'p', asset: 'a', version: 'v' };
const MD5 = 'd41d8cd98f00b204e9800998ecf8427e';
const entry = { size: 1, md5sum: MD5 };
const target = { project: 'p', asset: 'a', version: 'u', path: 'x' };

/** What is sent is text: only so does `__proto__` come as a key like any other. */
const received = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;
const withPath = (path: string) => Object.fromEntries([[path, entry]]);

describe('a manifest is refused', () => {
  it.each([
    ['null', null],
    ['a list', []],
    ['a list of entries', [entry]],
    ['text', 'manifest'],
    ['a number', 0],
    ['nothing', undefined],
  ])('that is %s', (_what, value) => {
    expectRefusal(value);
  });

  it.each([
    '../a',
    'a/../../b',
    '..',
    '..manifest',
    '/etc/passwd',
    '',
    '/',
    'a//b',
    'a/',
    './a',
    'a/.',
    'a\0b',
    'a\\..\\b',
    '\ud800',
    'a'.repeat(1025),
  ])('with the path %j', (path) => {
    const error = expectRefusal(withPath(path));
    expect(error.details).toMatchObject({ ...ref, path });
  });

  it.each([
    [['a', 'a/b'], 'a/b'],
    [['a/b/c', 'a/b', 'a.b', 'a b'], 'a/b/c'],
    [['a/b/c/d', 'a'], 'a/b/c/d'],
    [['1', '1/2'], '1/2'],
  ])('with the paths %j, one below the other', (paths, named) => {
    const error = expectRefusal(Object.fromEntries(paths.map((path) => [path, entry])));
    expect(error.details.path).toBe(named);
  });

  it.each([
    ['a negative size', { ...entry, size: -1 }],
    ['a size beyond any object', { ...entry, size: MAX_FILE_BYTES + 1 }],
    ['a size beyond exact numbers', { ...entry, size: 2 ** 53 }],
    ['a size that JSON cannot hold', { ...entry, size: Number.POSITIVE_INFINITY }],
    ['a fraction of a byte', { ...entry, size: 0.5 }],
    ['a size that is text', { ...entry, size: '1' }],
    ['no size', { md5sum: MD5 }],
    ['no digest', { size: 1 }],
    ['an empty digest', { ...entry, md5sum: '' }],
    ['a digest that is too short', { ...entry, md5sum: MD5.slice(1) }],
    ['a digest that is a path', { ...entry, md5sum: `../../${MD5.slice(6)}` }],
    ['a digest that is a number', { ...entry, md5sum: 1 }],
    ['another digest', { ...entry, md5sum: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' }],
    ['a null entry', null],
    ['a list as entry', [1, MD5]],
    ['text as entry', MD5],
    ['a link that is text', { ...entry, link: 'p/a/u/x' }],
    ['a null link', { ...entry, link: null }],
    ['a link without a path', { ...entry, link: { project: 'p', asset: 'a', version: 'u' } }],
    ['a link to a project outside', { ...entry, link: { ...target, project: '..' } }],
    ['a link to an asset that is a path', { ...entry, link: { ...target, asset: 'a/b' } }],
    ['a link to an empty version', { ...entry, link: { ...target, version: '' } }],
    ['a link to a path outside', { ...entry, link: { ...target, path: '../../x' } }],
    ['a link to an absolute path', { ...entry, link: { ...target, path: '/x' } }],
    ['a link to a number', { ...entry, link: { ...target, path: 7 } }],
    ['a link to a project that is a number', { ...entry, link: { ...target, project: 7 } }],
    ['a link to an asset that is a number', { ...entry, link: { ...target, asset: 7 } }],
    ['a link to a version that is a number', { ...entry, link: { ...target, version: 7 } }],
    ['a list as link', { ...entry, link: ['p', 'a', 'u', 'x'] }],
    ['a null ancestor', { ...entry, link: { ...target, ancestor: null } }],
    ['an ancestor without a path', { ...entry, link: { ...target, ancestor: { ...target, path: undefined } } }],
    ['an ancestor outside', { ...entry, link: { ...target, ancestor: { ...target, path: 'a/../../x' } } }],
    ['an ancestor in no project', { ...entry, link: { ...target, ancestor: { ...target, project: '' } } }],
    ['an ancestor that is text', { ...entry, link: { ...target, ancestor: 'x' } }],
  ])('with %s', (_what, wrong) => {
    expectRefusal({ good: entry, wrong });
    expectRefusal({ good: { ...entry, link: { ...target, ancestor: target } }, wrong });
  });

  it('whose files together are larger than numbers are exact', () => {
    const huge = { ...entry, size: MAX_FILE_BYTES };
    const files = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, huge]));
    expect(Object.keys(checkManifest(files(127), ref))).toHaveLength(127);
    expectRefusal(files(129));
  });

  it('with a message that no terminal obeys', () => {
    expect(expectRefusal(withPath('\u001b[2J/../x')).message).not.toContain('\u001b');
  });

  function expectRefusal(value: unknown) {
    try {
      checkManifest(value === undefined ? undefined : received(value), ref);
    } catch (error) {
      if (!isGypsumError(error, 'invalid-manifest')) throw error;
      expect(error.message).toContain('p/a/v');
      return error;
    }
    throw new Error('it was accepted');
  }
});

describe('a manifest', () => {
  it('may be empty', () => {
    expect(Object.keys(checkManifest({}, ref))).toEqual([]);
  });

  it('has its paths in order, and nothing that nobody asked for', () => {
    const manifest = checkManifest(
      received({ 'b.txt': { ...entry, type: 'simple' }, b: entry, 'b-1': entry, 'a/z': entry, 'a.txt': entry }),
      ref,
    );
    expect(Object.keys(manifest)).toEqual(['a/z', 'a.txt', 'b', 'b-1', 'b.txt']);
    expect(Object.values(manifest)).toEqual([entry, entry, entry, entry, entry]);
  });

  it('gives its paths in order also where they are whole numbers', () => {
    const paths = ['10', '2', '-1', 'a', '1/2', '007'];
    const manifest = checkManifest(Object.fromEntries(paths.map((path) => [path, entry])), ref);
    expect(manifestPaths(manifest)).toEqual(['-1', '007', '1/2', '10', '2', 'a']);
  });

  it('takes digests in upper case for the same in lower case', () => {
    const manifest = checkManifest({ a: { size: 0, md5sum: MD5.toUpperCase() } }, ref);
    expect(manifest.a).toEqual({ size: 0, md5sum: MD5 });
  });

  it('takes names of object prototypes for names', () => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf'];
    const manifest = checkManifest(JSON.parse(`{${names.map((name) => `"${name}":${JSON.stringify(entry)}`)}}`), ref);
    expect(Object.keys(manifest)).toEqual(names);
    expect(Object.keys(checkManifest({ a: entry }, ref))).toEqual(['a']);
    expect(checkManifest({ a: entry }, ref).constructor).toBeUndefined();
  });

  it('says where the bytes of a file are', () => {
    const ancestor = { ...target, version: 't', path: 'y' };
    const manifest = checkManifest(
      received({ own: entry, link: { ...entry, link: target }, far: { ...entry, link: { ...target, ancestor } } }),
      ref,
    );
    expect(source(manifest, 'own')).toEqual({ ...ref, path: 'own' });
    expect(source(manifest, 'link')).toEqual(target);
    expect(source(manifest, 'far')).toEqual(ancestor);
  });

  it('has sorted paths that stay in their folder, none below another, whatever was accepted', () => {
    const part = fc.constantFrom('a', 'b', '1', '10', '9', '.', '..', '', '/', '/a', 'a/b', '__proto__');
    const path = fc.array(part, { maxLength: 4 }).map((parts) => parts.join('/'));
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(path, { maxLength: 5 }), (paths) => {
        const wire = Object.fromEntries(paths.map((one) => [one, entry]));
        const manifest = acceptedOf(wire);
        if (manifest === undefined) return;
        accepted++;
        const found = manifestPaths(manifest);
        expect(new Set(found)).toEqual(new Set(paths));
        for (const [at, one] of found.entries()) {
          expect(pathFault(one)).toBeUndefined();
          expect(found.some((other) => isBelow(other, one))).toBe(false);
          const next = found[at + 1];
          if (next !== undefined) expect(comparePaths(one, next)).toBeLessThan(0);
        }
      }),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });
});

function acceptedOf(wire: unknown): Manifest | undefined {
  try {
    return checkManifest(wire, ref);
  } catch (error) {
    if (isGypsumError(error, 'invalid-manifest')) return undefined;
    throw error;
  }
}

function source(manifest: Manifest, path: string) {
  const found = manifest[path];
  if (found === undefined) throw new Error(`${path} is missing`);
  expect(entryDigest(found)).toEqual({ algorithm: 'md5', hex: MD5 });
  return entrySource(ref, path, found);
}
