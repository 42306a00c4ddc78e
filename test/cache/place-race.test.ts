import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { place, publishDocument } from '../../src/cache/atomic.ts';
import { createLayout } from '../../src/cache/layout.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('a file can be placed while others replace it', async () => {
  const folder = await tempFolder();
  const layout = createLayout(folder);
  const source = join(folder, 'source');
  await publishDocument(layout, source, 'content');
  let placing = true;
  const replace = async () => {
    while (placing) await publishDocument(layout, source, 'content');
  };
  const replacing = Promise.all([replace(), replace(), replace()]);
  try {
    for (let n = 0; n < 500; n++) await place(layout, source, join(folder, `placed-${n}`));
  } finally {
    placing = false;
    await replacing;
  }
  expect(await readFile(join(folder, 'placed-499'), 'utf8')).toBe('content');
});
