import { applyPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTextPatch } from '../../src/model/text-patch.ts';

const file = (text: string, path = 'x.txt') => ({ path, content: Buffer.from(text) });
const patch = (before: string | undefined, after: string | undefined) =>
  createTextPatch({
    ...(before !== undefined && { before: file(before) }),
    ...(after !== undefined && { after: file(after) }),
  });

describe('a patch of', () => {
  it.each<[string, string | undefined, string | undefined, string[]]>([
    [
      'an edit',
      'a\nb\nc\n',
      'a\nB\nc\n',
      ['--- a/x.txt', '+++ b/x.txt', '@@ -1,3 +1,3 @@', ' a', '-b', '+B', ' c', ''],
    ],
    ['a new file', undefined, 'a\nb\n', ['--- /dev/null', '+++ b/x.txt', '@@ -0,0 +1,2 @@', '+a', '+b', '']],
    ['a removed file', 'a\n', undefined, ['--- a/x.txt', '+++ /dev/null', '@@ -1,1 +0,0 @@', '-a', '']],
    [
      'a file that is filled, without an end of line',
      '',
      'a',
      ['--- a/x.txt', '+++ b/x.txt', '@@ -0,0 +1,1 @@', '+a', '\\ No newline at end of file', ''],
    ],
    [
      'ends of lines',
      'a\r\nb',
      'a\nb\n',
      ['--- a/x.txt', '+++ b/x.txt', '@@ -1,2 +1,2 @@', '-a\r', '-b', '\\ No newline at end of file', '+a', '+b', ''],
    ],
  ])('%s is a unified diff', async (_what, before, after, lines) => {
    expect((await patch(before, after))?.split('\n')).toEqual(lines);
  });

  it('names that are odd quotes them, so that none is taken for a line of its own', async () => {
    const text = await createTextPatch({ after: file('a\n', 'odd\n--- a/passwd\t"é"') });
    expect(text?.split('\n').slice(0, 3)).toEqual([
      '--- /dev/null',
      '+++ "b/odd\\n--- a/passwd\\t\\"\\303\\251\\""',
      '@@ -0,0 +1,1 @@',
    ]);
  });

  it.each([
    ['zero bytes', Buffer.from('a\0b')],
    ['bytes that are no UTF-8', Buffer.from([0x63, 0xe9])],
  ])('%s is none', async (_what, content) => {
    expect(await createTextPatch({ after: { path: 'x', content } })).toBeUndefined();
    expect(await createTextPatch({ before: { path: 'x', content }, after: file('a') })).toBeUndefined();
  });

  it('texts that have nothing in common replaces all lines', async () => {
    const lines = (mark: string) => Array.from({ length: 1_500 }, (_, at) => `${mark} ${at}\n`).join('');
    const text = (await patch(lines('a'), lines('b'))) ?? '';
    expect(text).toContain('@@ -1,1500 +1,1500 @@\n-a 0\n-a 1\n');
    expect(applyPatch(lines('a'), text)).toBe(lines('b'));
  });

  it('any texts turns the one into the other', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', '\n', '\r', 'é'), { maxLength: 20 }).map((parts) => parts.join(''));
    await fc.assert(
      fc.asyncProperty(text, text, async (before, after) => {
        fc.pre(before !== after);
        const made = (await patch(before, after)) ?? '';
        expect(applyPatch(before, made, { autoConvertLineEndings: false })).toBe(after);
      }),
    );
  });
});
