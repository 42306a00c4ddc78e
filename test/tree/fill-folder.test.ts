import { readdirSync, readlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyFolder, fillFolder } from '../../src/tree/fill-folder.ts';
import { scanFolder } from '../../src/tree/scan.ts';
import type { MakeStep } from '../../src/tree/step.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const directory = (path: string): MakeStep => ({ path, after: { type: 'directory' } });
const symlink = (path: string): MakeStep => ({ path, after: { type: 'symlink', target: 'away' } });

describe('a new folder', () => {
  it('is filled with what comes, one after the other, as far as that goes', async () => {
    const root = await tempFolder();
    const stop = new Error('enough');
    function* steps() {
      yield directory('a');
      yield symlink('a/link');
      // It is there before the next one is asked for.
      expect(readlinkSync(join(root, 'a/link'))).toBe('away');
      throw stop;
    }
    await expect(fillFolder(root, steps())).rejects.toBe(stop);
    expect(await scanFolder(root)).toHaveLength(2);

    await emptyFolder(root);
    expect(readdirSync(root)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'is emptied of what lies too deep for a path, and of what does not belong to it',
    async () => {
      const root = await tempFolder();
      const names = Array.from({ length: 200 }, (_, at) => `${at % 10 === 0 ? '\udcff' : ''}${at}`.padEnd(60, 'd'));
      const paths = names.map((_, at) => names.slice(0, at + 1).join('/'));
      const outside = await tempFolder();
      await mkdir(join(outside, 'kept'));
      const away: MakeStep = { path: 'zz', after: { type: 'symlink', target: outside } };
      await fillFolder(root, [...paths.map(directory), symlink(`${paths.at(-1)}/link`), away]);
      expect(await scanFolder(root)).toHaveLength(202);

      await emptyFolder(root);
      expect(readdirSync(root)).toEqual([]);
      expect(readdirSync(outside)).toEqual(['kept']);
    },
  );
});
