import { chmodSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { layOut } from '../helpers/files.ts';
import { readFixture } from '../helpers/fixture-tree.ts';
import { createRig } from '../helpers/rig.ts';
import { treeShape } from '../helpers/tree-shape.ts';

const V1 = { project: 'p', asset: 'a', version: '1' };

/** What stands in a folder, with the permissions of files and folders. */
function treeWithModes(root: string): Record<string, string> {
  const modeOf = (path: string) => {
    const stats = lstatSync(join(root, path));
    return stats.isSymbolicLink() ? '' : (stats.mode & 0o777).toString(8);
  };
  return Object.fromEntries(Object.entries(treeShape(root)).map(([path, is]) => [path, `${modeOf(path)} ${is}`]));
}

function layOutFixture(root: string): void {
  layOut(
    root,
    Object.fromEntries(
      readFixture('test_symlinks').map(({ path, type, target = '', content, size }) => [
        path,
        type === 'dir'
          ? ('folder/' as const)
          : type === 'symlink'
            ? { link: target }
            : (content ?? 'x'.repeat(size ?? 0)),
      ]),
    ),
  );
  layOut(root, {
    'empty/deep': 'folder/',
    abs: { link: join(root, 'realfile.txt') },
    'abs-out': { link: '/nowhere' },
    'run.sh': '#!/bin/sh\necho ran\n',
    secret: 's',
  });
  chmodSync(join(root, 'run.sh'), 0o755);
  chmodSync(join(root, 'secret'), 0o600);
  chmodSync(join(root, 'empty'), 0o750);
}

describe('a tree that is published, cloned and exported', () => {
  it.each(['symlink', 'hardlink', 'copy'] as const)(
    'is what it was, and its clone of mode %s has not changed',
    async (mode) => {
      const { client, folder, registry } = await createRig({ projects: { p: {} } });
      const source = join(folder, 'source');
      layOutFixture(source);
      await client.putTree({ project: 'p', asset: 'a' }, `${source}/`);
      const clone = join(folder, 'clone');
      const { notLaidOut } = await client.cloneVersion(V1, clone, { mode });
      expect(notLaidOut).toBeUndefined();
      const status = await client.cloneStatus(clone);
      expect(status.entries).toEqual([]);
      expect(status.clean).toBe(true);

      await client.exportClone(clone, join(folder, 'export'));
      expect(treeWithModes(join(folder, 'export'))).toEqual(treeWithModes(source));

      await client.stageFiles([clone]);
      await client.restoreFiles([clone]);
      const again = await client.uploadDirectory({ ...V1, version: '2' }, clone, { ifChanged: true });
      expect(again).toMatchObject({ published: false });
      expect(readdirSync(clone)).not.toContain('.gypsum-tree.json');
      expect(registry.calls.some(({ key }) => key?.includes('/2/') === true && !key.endsWith('..summary'))).toBe(false);
    },
  );
});
