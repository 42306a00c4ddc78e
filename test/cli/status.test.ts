import { chmod, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CloneOptions } from '../../src/index.ts';
import { callCli } from '../helpers/call-cli.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const FILES = { 'edited.csv': '12', 'gone.csv': '123', 'kept.csv': 'kept', 'old.csv': 'moved', 'sub/x.csv': '1' };

/** A rig with a clone, and what `gypsum status` says of it. */
async function createClone(options: CloneOptions = {}) {
  const rig = await createRig({ versions: { 'p/a/v1': FILES } });
  const clone = join(rig.folder, 'clone');
  await rig.client.cloneVersion(V1, clone, options);
  const status = (...words: string[]) =>
    callCli(['status', ...words, '--registry', rig.registry.url, '--cache', rig.cacheDir]);
  return { ...rig, clone, status };
}

const lines = (...text: string[]) => ({ code: 0, stdout: `${text.join('\n')}\n`, stderr: '' });

it.each(['symlink', 'copy'] as const)('gypsum status says of a clone of mode %s that it is clean', async (mode) => {
  const { status, clone } = await createClone({ mode });
  expect(await status(clone)).toEqual(lines(`p/a/v1 in ${clone} (${mode} clone): clean, 5 files, 15 B`));
});

it('gypsum status names no file where none was fetched', async () => {
  const { status, clone } = await createClone({ download: false });
  expect(await status(join(clone, 'sub'))).toEqual(
    lines(
      `p/a/v1 in ${clone} (symlink clone): clean, 5 files, 15 B`,
      `5 files are not in the cache: gypsum fetch ${clone}`,
    ),
  );
});

it('gypsum status names what differs, by what became of it, and what can be done', async () => {
  const { status, clone, cacheDir, makeFolder } = await createClone();
  const at = (path: string) => join(clone, path);
  const cached = (path: string) => join(cacheDir, 'bucket/p/a/v1', path);
  await rename(at('old.csv'), at('sub/new.csv'));
  await rm(cached('gone.csv'));
  await chmod(cached('edited.csv'), 0o644);
  await writeFile(at('edited.csv'), 'edited');
  await rm(at('sub/x.csv'));
  await writeFile(at('sub/x.csv'), 'changed');
  await writeFile(at('line\nbreak'), '');
  await writeFile(at('.gypsumignore'), '*.tmp\n');
  await writeFile(at('x.tmp'), '');
  const mine = await makeFolder('mine', { 'back\\slash': '' });
  await symlink(mine, at('mine'));
  await symlink(join(mine, 'nothing'), at('nothing'));
  await symlink('/old/cache/bucket/p/a/v1/kept.csv', at('stray'));
  const nowhere = 'is a symlink to nothing';
  const astray = 'is a symlink into a cache that has it not, or is not there';
  expect(await status(clone)).toEqual(
    lines(
      `p/a/v1 in ${clone} (symlink clone)`,
      'modified          7 B  sub/x.csv',
      String.raw`added             0 B  line\x0abreak`,
      'moved             5 B  old.csv -> sub/new.csv',
      'dangling          3 B  gone.csv',
      'edited            2 B  edited.csv -> p/a/v1:/edited.csv',
      `foreign           0 B  mine -> ${mine}`,
      `foreign           0 B  nothing -> ${mine}/nothing (${nowhere})`,
      `foreign           0 B  stray -> /old/cache/bucket/p/a/v1/kept.csv (${astray})`,
      String.raw`refused     mine/back\slash contains a backslash`,
      'unchanged: 1 file, 4 B',
      'to publish: 2 files, 7 B to send; 3 files, 12 B to link; refused: 4',
      'left out by .gypsumignore: 1',
      `1 file is not in the cache: gypsum fetch ${clone}`,
      '1 file is edited in the cache, through a link: equal files of all versions are one there.',
      `    To publish the edits, have them made files of this folder: gypsum upload --rescue ${clone}`,
      '    To keep one as a file without publishing it: gypsum stage --rescue FILE',
      '    If one is not wanted: gypsum restore --force FILE (it is kept until "gypsum cache prune")',
      '    One in a site cache comes anew with: gypsum fetch FILE',
      `If the cache was moved: gypsum relink ${clone}`,
    ),
  );
  const { stdout } = await status(clone, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ ...V1, clean: false, states: { moved: { files: 1, bytes: 5 } } });
});
