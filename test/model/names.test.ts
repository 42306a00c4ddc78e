import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGypsumError } from '../../src/errors.ts';
import { checkName, checkPath, MAX_KEY_BYTES, nameFault, pathFault } from '../../src/model/names.ts';

const HOSTILE_PATHS: [path: string, why: RegExp][] = [
  ['', /empty/],
  ['/', /absolute/],
  ['/etc/passwd', /absolute/],
  ['//server/share', /absolute/],
  ['..', /begins with "\.\."/],
  ['../a', /begins with "\.\."/],
  ['a/..', /begins with "\.\."/],
  ['a/../b', /begins with "\.\."/],
  ['..x', /begins with "\.\."/],
  ['a/..x', /begins with "\.\."/],
  ['...', /begins with "\.\."/],
  ['..manifest', /begins with "\.\."/],
  ['.', /is "\."/],
  ['./a', /is "\."/],
  ['a/.', /is "\."/],
  ['a/./b', /is "\."/],
  ['a//b', /empty component/],
  ['a/', /ends with "\/"/],
  ['a\\b', /backslash/],
  ['..\\a', /./],
  ['C:\\a', /backslash/],
  ['a\0', /NUL/],
  ['a\0/../b', /./],
  ['\ud800', /Unicode/],
  ['a\udc80b', /Unicode/],
  ['a'.repeat(MAX_KEY_BYTES + 1), /longer than 1024 bytes/],
  ['é'.repeat(MAX_KEY_BYTES / 2 + 1), /longer than 1024 bytes/],
  ['€'.repeat(342), /longer than 1024 bytes/],
  ['😀'.repeat(MAX_KEY_BYTES / 4 + 1), /longer than 1024 bytes/],
];

const PLAIN_PATHS = [
  'a',
  'a/b',
  '.hidden',
  'a/.hidden',
  '.a.',
  'a..',
  'a../b',
  'a b',
  'ünï/😀',
  '\ufffd',
  'a:b',
  'C:',
  '-rf',
  '~',
  '*?"<>|',
  'a\nb',
  '__proto__',
  'constructor',
  'COMPLETE',
  'a'.repeat(MAX_KEY_BYTES),
  '😀'.repeat(MAX_KEY_BYTES / 4),
];

describe('a path in a version', () => {
  it.each(HOSTILE_PATHS)('is refused as %j', (path, why) => {
    expect(pathFault(path)).toMatch(why);
    expect(() => checkPath(path)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });

  it.each(PLAIN_PATHS)('may be %j', (path) => {
    expect(checkPath(path)).toBe(path);
  });

  it('stays in the folder that it is joined to, whatever was accepted', () => {
    const path = fc.array(fc.constantFrom('.', '/', 'a', '\\', '\0', '\ud800', '😀', ' '), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.oneof(
          path.map((parts) => parts.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          if (pathFault(text) !== undefined) return;
          const joined = posix.join('/root/folder', text);
          expect(joined).toBe(`/root/folder/${text}`);
          expect(posix.relative('/root/folder', joined)).toBe(text);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('does not bring terminal controls into the message', () => {
    const error = thrownBy(() => checkPath('\u001b[2J/../\u202ex'));
    expect(error.message).not.toMatch(/[\u001b\u202e]/u);
  });
});

describe('a name', () => {
  it.each(['', '.', '..', '..a', '/', 'a/b', 'a/', 'a\\b', 'a\0b', '\udc80', 'a'.repeat(1025)])(
    'is refused as %j',
    (name) => {
      for (const kind of ['project', 'asset', 'version'] as const) {
        const error = thrownBy(() => checkName(kind, name));
        expect(isGypsumError(error, 'invalid-argument')).toBe(true);
        expect(error.message).toContain(kind);
      }
    },
  );

  it.each(['a', '.a', 'a..', 'v1.0', 'with space', '😀', '__proto__', '%2e%2e'])('may be %j', (name) => {
    expect(checkName('project', name)).toBe(name);
  });

  it('is each component of a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\\', '\0', 'é', '\udc80') }), (text) => {
        const isPath = text.split('/').every((name) => nameFault(name) === undefined);
        expect(pathFault(text) === undefined).toBe(isPath);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is a path of one component', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\\', '\0', 'é') }), (text) => {
        expect(nameFault(text) === undefined).toBe(pathFault(text) === undefined && !text.includes('/'));
      }),
      { numRuns: 2_000 },
    );
  });
});

function thrownBy(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}
