import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { IGNORE_FILE, readIgnoreFile } from '../../src/tree/ignore-file.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

async function rulesOf(text: string | Uint8Array) {
  const root = await tempFolder();
  writeFileSync(join(root, IGNORE_FILE), text);
  const rules = readIgnoreFile(root);
  if (rules === undefined) throw new Error('there are rules');
  return rules;
}

describe('an ignore file', () => {
  it.each<[string, string, string, boolean, boolean]>([
    ['*.tmp', 'a.tmp', 'a file by its ending', false, true],
    ['*.tmp', 'sub/a.tmp', 'at any depth', false, true],
    ['*.tmp', 'A.TMP', 'not in another case', false, false],
    ['/top', 'sub/top', 'not below, if it is anchored', false, false],
    ['build/', 'build', 'a folder', true, true],
    ['build/', 'build', 'not a file, if a folder is meant', false, false],
    ['build/', 'build/deep/x', 'what is in it', false, true],
    ['*.tmp\n!keep.tmp', 'keep.tmp', 'not what is taken back', false, false],
    ['build/\n!build/x', 'build/x', 'what is in an ignored folder, also if it is taken back', false, true],
    ['# a.tmp', 'a.tmp', 'nothing by a comment', false, false],
    ['\ufeffa.tmp\r\nb.tmp\r\n', 'a.tmp', 'as editors on Windows write it', false, true],
    ['\\#x', '#x', 'an escaped name', false, true],
    ['[ab].txt', 'b.txt', 'by a class', false, true],
    ['**/c', 'a/b/c', 'by two stars', false, true],
    ['', '.gypsumignore', 'itself', false, true],
    ['', 'sub/.gypsumignore', 'not another of its name', false, false],
  ])('"%s" and "%s": leaves out %s', async (text, path, _what, isFolder, ignored) => {
    expect((await rulesOf(text)).ignores(path, isFolder)).toBe(ignored);
  });

  it('means bytes that are not UTF-8 too', async () => {
    const rules = await rulesOf(Buffer.from('caf\xe9\n', 'latin1'));
    expect(rules.ignores('caf\udce9', false)).toBe(true);
  });

  it('may be none, or a link to one', async () => {
    const root = await tempFolder();
    expect(readIgnoreFile(root)).toBeUndefined();
    writeFileSync(join(root, 'rules'), '*.tmp');
    symlinkSync('rules', join(root, IGNORE_FILE));
    expect(readIgnoreFile(root)?.ignores('a.tmp', false)).toBe(true);
  });

  it.each<[string, (file: string) => void]>([
    ['a folder', (file) => mkdirSync(file)],
    ['a link to nothing', (file) => symlinkSync('nowhere', file)],
    [
      'far too large',
      (file) => {
        writeFileSync(file, '');
        truncateSync(file, 2 ** 30);
      },
    ],
  ])('that is %s is an error: what must not be published is not known', async (_name, make) => {
    const root = await tempFolder();
    make(join(root, IGNORE_FILE));
    expect(() => readIgnoreFile(root)).toThrow(expect.objectContaining({ code: 'invalid-tree' }));
  });
});
