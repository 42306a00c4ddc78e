import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGypsumError } from '../../src/errors.ts';
import { decodePath, encodePath } from '../../src/model/local-path.ts';
import { comparePaths } from '../../src/model/tree.ts';
import {
  formatTreeRecord,
  MAX_LINK_TEXT,
  parseTreeRecord,
  type RecordEntry,
  sameRecord,
} from '../../src/model/tree-record.ts';

const ref = { project: 'p', asset: 'a', version: 'v' };
const MTIME = '2026-01-02T03:04:05.123456789Z';

const file = { path: 'f', type: 'file', mode: '0644', mtime: MTIME };
const folder = { path: 'd', type: 'dir', mode: '0755' };
const link = { path: 'l', type: 'symlink', symlink_target: 'f', symlink_target_type: 'file' };
const recordOf = (...entries: unknown[]) => JSON.stringify({ 'gypsum-tree': 1, entries });

const ENTRIES: readonly RecordEntry[] = [
  { type: 'directory', path: 'empty', mode: 0o755, mtime: MTIME },
  { type: 'file', path: 'run.sh', mode: 0o755, mtime: MTIME },
  { type: 'directory', path: 'sub' },
  { type: 'symlink', path: 'sub/bytes', target: 'caf\udce9', targetType: 'unknown' },
  { type: 'symlink', path: 'sub/up', target: '..', targetType: 'dir', mtime: MTIME },
];

const TEXT = `{"gypsum-tree":1,"entries":[
{"path":"empty","type":"dir","mode":"0755","mtime":"${MTIME}"},
{"path":"run.sh","type":"file","mode":"0755","mtime":"${MTIME}"},
{"path":"sub","type":"dir"},
{"path":"sub/bytes","type":"symlink","symlink_target":"caf\\udce9","symlink_target_type":"unknown"},
{"path":"sub/up","type":"symlink","symlink_target":"..","symlink_target_type":"dir","mtime":"${MTIME}"}
]}
`;

describe('a tree record', () => {
  it('is written one entry a line, the same in whatever order', () => {
    expect(formatTreeRecord({ entries: ENTRIES })).toBe(TEXT);
    expect(formatTreeRecord({ entries: ENTRIES.toReversed() })).toBe(TEXT);
    expect(formatTreeRecord({ entries: [] })).toBe('{"gypsum-tree":1,"entries":[\n\n]}\n');
  });

  it('is read as it was written, and in order however it is', () => {
    expect(parseTreeRecord(TEXT, ref)).toEqual({ entries: ENTRIES });
    expect(parseTreeRecord(recordOf(link, folder, file), ref).entries.map(({ path }) => path)).toEqual(['d', 'f', 'l']);
    expect(parseTreeRecord(formatTreeRecord({ entries: [] }), ref)).toEqual({ entries: [] });
  });

  it('carries nothing but what it is made for', () => {
    const known = { type: 'file', path: 'run.sh', mode: 0o755, mtime: MTIME, size: 3 } as const;
    expect(formatTreeRecord({ entries: [known] })).toBe(formatTreeRecord({ entries: ENTRIES.slice(1, 2) }));
    expect(parseTreeRecord(recordOf({ ...file, uid: 0 }), ref).entries).toEqual([
      { type: 'file', path: 'f', mode: 0o644, mtime: MTIME },
    ]);
  });

  it('keeps every byte of the text of a link', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        fc.pre(!bytes.includes(0));
        const target = decodePath(bytes);
        const text = formatTreeRecord({ entries: [{ type: 'symlink', path: 'l', target, targetType: 'unknown' }] });
        // As it goes over the wire.
        const [entry] = parseTreeRecord(Buffer.from(text).toString(), ref).entries;
        expect(encodePath(entry?.type === 'symlink' ? entry.target : '')).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it('takes the longest text that a link can have', () => {
    const target = `${'é'.repeat(MAX_LINK_TEXT / 2)}x`;
    expect(parseTreeRecord(recordOf({ ...link, symlink_target: target }), ref).entries).toHaveLength(1);
  });

  it('is the same as one with other times, and with no other difference', () => {
    const later = ENTRIES.map((entry) => ({ ...entry, mtime: '2027-01-02T03:04:05.000000000Z' }));
    expect(sameRecord({ entries: ENTRIES }, { entries: later })).toBe(true);
    const changes: Partial<RecordEntry>[] = [{ path: 'sub/x' }, { target: '../x' }, { targetType: 'file' }];
    for (const change of changes) {
      const other = [...ENTRIES.slice(0, -1), { ...ENTRIES.at(-1), ...change } as RecordEntry];
      expect(sameRecord({ entries: ENTRIES }, { entries: other })).toBe(false);
    }
    const [empty, ...rest] = ENTRIES;
    expect(sameRecord({ entries: ENTRIES }, { entries: rest })).toBe(false);
    expect(sameRecord({ entries: ENTRIES }, { entries: [{ ...empty, mode: 0o700 } as RecordEntry, ...rest] })).toBe(
      false,
    );
  });
});

describe('a tree record is refused', () => {
  it.each([
    ['nothing', ''],
    ['no JSON', '{"gypsum-tree":1,'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['JSON of somebody else', '{"entries":[]}'],
    ['a format that is text', '{"gypsum-tree":"1","entries":[]}'],
    ['a format that never was', '{"gypsum-tree":0,"entries":[]}'],
    ['no entries', '{"gypsum-tree":1}'],
    ['entries by path', '{"gypsum-tree":1,"entries":{}}'],
  ])('that is %s', (_what, text) => {
    expectRefusal(text);
  });

  it('of a newer version, which it says', () => {
    expect(expectRefusal('{"gypsum-tree":2,"entries":[]}').message).toContain('newer version');
  });

  it.each([
    '..',
    '../x',
    'a/../x',
    'a/..x',
    '/etc/passwd',
    '',
    '/',
    'a//b',
    'a/',
    '.',
    './a',
    'a/.',
    'a\0b',
    'a\\b',
    'a\udcff',
    'a'.repeat(1025),
    '.gypsum-tree.json',
  ])('with the path %j', (path) => {
    for (const entry of [file, folder, link]) {
      const error = expectRefusal(recordOf({ ...entry, path }));
      expect(error.details).toMatchObject({ ...ref, path });
    }
  });

  it.each([
    ['null', null],
    ['text', 'f'],
    ['no path', { type: 'dir' }],
    ['a path that is a number', { ...file, path: 1 }],
    ['no type', { path: 'f' }],
    ['an unknown type', { path: 'f', type: 'fifo' }],
    ['a symlink without target', { path: 'l', type: 'symlink', symlink_target_type: 'file' }],
    ['a symlink without type of target', { path: 'l', type: 'symlink', symlink_target: 'f' }],
    ['a symlink to a kind of its own', { ...link, symlink_target_type: 'socket' }],
    ['an empty target', { ...link, symlink_target: '' }],
    ['a target with NUL', { ...link, symlink_target: 'a\0b' }],
    ['a target of half a character', { ...link, symlink_target: 'a\ud800' }],
    ['a target that stands for no byte', { ...link, symlink_target: '\udc7f' }],
    ['a target longer than any', { ...link, symlink_target: 'é'.repeat(MAX_LINK_TEXT / 2 + 1) }],
    ['a mode with more than permissions', { ...file, mode: '4755' }],
    ['a mode of the whole inode', { ...file, mode: '100644' }],
    ['a mode that is no octal number', { ...file, mode: '0888' }],
    ['a mode that is a number', { ...folder, mode: 493 }],
    ['a mode without digits', { ...folder, mode: '' }],
    ['a time that is none', { ...file, mtime: 'yesterday' }],
    ['a day that no month has', { ...file, mtime: '2026-02-30T03:04:05.123456789Z' }],
    ['a time that is a number', { ...link, mtime: 0 }],
  ])('with %s', (_what, entry) => {
    expectRefusal(recordOf(folder, entry));
  });

  it.each([
    ['a file twice', [file, { ...file, mode: '0600' }]],
    ['a file and a folder of one path', [file, { ...folder, path: 'f' }]],
    ['something below a file', [{ ...folder, path: 'f/x' }, file]],
    ['something far below a file', [file, { ...file, path: 'f/x/y' }]],
    ['something below a file, behind what sorts between', [file, { ...file, path: 'f.x' }, { ...link, path: 'f/x' }]],
    ['something below a symlink', [link, { ...file, path: 'l/x' }]],
    ['a symlink below a symlink', [link, { ...link, path: 'l/x/y' }]],
  ])('with %s', (_what, entries) => {
    expectRefusal(recordOf(...entries));
  });

  it('with a path that would move the cursor of a terminal, without showing it', () => {
    expect(expectRefusal(recordOf({ ...file, path: '\u001b[2J/' })).message).not.toContain('\u001b');
  });
});

it('the entries of a record stand in the order of trees', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '.', '0'), minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
      fc.pre(names.every((path) => path !== '.' && !path.startsWith('..')));
      const { entries } = parseTreeRecord(recordOf(...names.map((path) => ({ ...folder, path }))), ref);
      expect(entries.map(({ path }) => path)).toEqual(names.toSorted(comparePaths));
    }),
  );
});

function expectRefusal(text: string) {
  try {
    parseTreeRecord(text, ref);
  } catch (error) {
    if (!isGypsumError(error, 'invalid-manifest')) throw error;
    expect(error.message).toContain('p/a/v');
    expect(error.hint).toContain('.gypsum-tree.json');
    return error;
  }
  throw new Error('It was not refused.');
}
