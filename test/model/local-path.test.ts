import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePath, encodePath, fsPath, isPlaceIn, placeIn } from '../../src/model/local-path.ts';
import { pathFault } from '../../src/model/names.ts';
import { showText } from '../../src/model/text.ts';
import { realPath } from '../../src/tree/real-path.ts';
import { readLink, scanFolder } from '../../src/tree/scan.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

describe('the string of a local path', () => {
  it('stands for any bytes without loss', () => {
    // Bytes that begin, continue and break UTF-8 sequences, far more often than chance would have them.
    const byte = fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0x2f, 0xc3, 0xed, 0xb2, 0x80, 0xf0, 0x9f, 0x98),
    );
    fc.assert(
      fc.property(fc.array(byte), (bytes) => {
        expect([...encodePath(decodePath(Uint8Array.from(bytes)))]).toEqual(bytes);
      }),
      { numRuns: 5_000 },
    );
  });

  it('is the text itself where the bytes are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(decodePath(Buffer.from(text))).toBe(text);
        expect(encodePath(text)).toEqual(Buffer.from(text));
        expect(fsPath(text)).toBe(text);
      }),
    );
  });

  it.each(['', 'plain', 'é', 'e\u0301', '😀', '\ufffd', '\ufeffmark', '👩‍👩‍👧', '\u{1047f}'])(
    'is unchanged for %j',
    (text) => {
      expect(decodePath(Buffer.from(text))).toBe(text);
      expect(fsPath(text)).toBe(text);
    },
  );

  it.each([
    [[0xff], '\udcff'],
    [[0x61, 0x80, 0x62], 'a\udc80b'],
    [[0xc3, 0xa9, 0xc3], 'é\udcc3'],
    [[0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
    [[0xf0, 0x9f, 0x98, 0x80, 0x80], '😀\udc80'],
    [[0xef, 0xbf, 0xbd, 0xff], '\ufffd\udcff'],
    [[0xc0, 0xaf], '\udcc0\udcaf'],
  ])('has a surrogate for each byte of %j that is not UTF-8', (bytes, text) => {
    expect(decodePath(Uint8Array.from(bytes))).toBe(text);
    expect(encodePath(text)).toEqual(Buffer.from(bytes));
  });

  it('reads a part of a larger buffer only', () => {
    const whole = Buffer.from([0x41, 0xff, 0x42, 0x43]);
    expect(decodePath(whole.subarray(1, 3))).toBe('\udcffB');
  });

  it('is refused by manifests and shown as bytes where it is not UTF-8', () => {
    expect(pathFault('a\udcff')).toMatch(/UTF-8/);
    expect(showText('a\udcff\udc80')).toBe('a\\xff\\x80');
  });
});

describe('the place of a path in a folder', () => {
  const name = fc.string({ minLength: 1 }).filter((text) => !/[/\\]/.test(text) && text !== '.' && text !== '..');

  it('is what joining them gives', () => {
    const roots = fc.constantFrom(resolve('/'), resolve('/a'), resolve('/a/b c'));
    fc.assert(
      fc.property(roots, fc.array(name), (root, names) => {
        expect(placeIn(root, names.join('/'))).toBe(join(root, ...names));
      }),
    );
  });

  it('is known for the place of a path without making it', () => {
    const part = fc.constantFrom('a', 'b', 'ab', 'ba', '\udcff', '..');
    const path = fc.array(part, { maxLength: 3 }).map((parts) => parts.join('/'));
    const folder = fc.oneof(
      fc.constant('/'),
      path.map((below) => `/${below}`),
    );
    fc.assert(
      fc.property(folder, path, folder, path, (root, below, other, otherBelow) => {
        expect(isPlaceIn(placeIn(root, below), root, below)).toBe(true);
        const text = placeIn(other, otherBelow);
        expect(isPlaceIn(text, root, below)).toBe(text === placeIn(root, below));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('names on a disk that are not UTF-8', () => {
  it('are scanned, read, followed and resolved byte for byte', async ({ skip }) => {
    const root = await tempFolder();
    const folder = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x64, 0xff])]);
    try {
      mkdirSync(folder);
    } catch (error) {
      return skip(`the file system takes UTF-8 names only: ${error}`);
    }
    writeFileSync(Buffer.concat([folder, Buffer.from([0x2f, 0xe9])]), 'latin');
    writeFileSync(Buffer.concat([folder, Buffer.from('/\ufffd')]), 'replacement');
    symlinkSync(Buffer.from([0xe9]), Buffer.concat([folder, Buffer.from('/link')]));
    if (!readdirSync(root, { encoding: 'buffer' })[0]?.includes(0xff))
      return skip('the file system changes such names');

    const tree = await scanFolder(root);

    expect(tree).toEqual([
      { type: 'directory', path: 'd\udcff' },
      { type: 'symlink', path: 'd\udcff/link', target: '\udce9' },
      { type: 'file', path: 'd\udcff/\udce9', size: 5 },
      { type: 'file', path: 'd\udcff/\ufffd', size: 11 },
    ]);
    expect(readFileSync(fsPath(join(root, 'd\udcff/\udce9')), 'utf8')).toBe('latin');
    expect(readFileSync(fsPath(join(root, 'd\udcff/\ufffd')), 'utf8')).toBe('replacement');
    expect(readLink(join(root, 'd\udcff/link'))).toBe('\udce9');
    expect(realPath(join(root, 'd\udcff/link'))).toBe(join(root, 'd\udcff/\udce9'));
    expect(realPath(join(root, 'd\udcff/new/\udcfe'))).toBe(join(root, 'd\udcff/new/\udcfe'));
  });
});
