import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { createWay } from '../../src/tree/way.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

it('a way is looked at again after others have had their turn', async () => {
  const root = await tempFolder();
  mkdirSync(join(root, 'a/b'), { recursive: true });
  const way = createWay(root);
  expect(way.to('a/b/c')).toBe(join(root, 'a/b/c'));
  renameSync(join(root, 'a'), join(root, 'moved'));
  symlinkSync('moved', join(root, 'a'));
  await vi.waitFor(() => {
    way.forget();
    expect(() => way.to('a/b/c')).toThrow(
      expect.objectContaining({ code: 'file-changed', details: { directory: root, path: 'a' } }),
    );
  });
  // What is no folder is told by whoever writes there.
  expect(way.to('none/x')).toBe(join(root, 'none/x'));
  way.close();
});
