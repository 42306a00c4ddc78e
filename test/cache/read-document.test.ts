import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { letGoOf, readLargeIfThere } from '../../src/cache/read-document.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it.each(['', 'short', 'long '.repeat(300_000)])('a large file is read as it is, and let go of', async (text) => {
  const path = join(await tempFolder(), 'file');
  writeFileSync(path, text);
  const content = await readLargeIfThere(path);
  expect(content?.toString('utf8') === text).toBe(true);
  if (content !== undefined) letGoOf(content);
  expect(content).toHaveLength(0);
});

it('a large file that is not there is none', async () => {
  expect(await readLargeIfThere(join(await tempFolder(), 'nothing'))).toBeUndefined();
});

it('what was read otherwise is not let go of', () => {
  const content = Buffer.from('text');
  letGoOf(content);
  expect(content.toString('utf8')).toBe('text');
});
