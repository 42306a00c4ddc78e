import { readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CloneMode } from '../../src/index.ts';
import { deepFolder } from '../helpers/deep-folder.ts';
import { createCloneRig, V2 } from '../helpers/edits.ts';

/** 3,000 levels in 15 kB: more than three times what a path may have. */
const NAMES = Array.from({ length: 3000 }, (_, at) => `d${at % 1000}`);
const DEEP = NAMES.join('/');

it.runIf(process.platform === 'linux').each<CloneMode>(['symlink', 'copy'])(
  'what lies 3,000 levels deep in a clone of mode %s keeps no command from its work',
  async (mode) => {
    const { client, clone } = await createCloneRig(mode);
    const { root: deep, inmost } = await deepFolder(NAMES);
    renameSync(join(deep, 'd0'), join(clone, 'd0'));
    onTestFinished(() => renameSync(join(clone, 'd0'), join(deep, 'd0')));
    writeFileSync(join(inmost, 'file'), 'text');
    for (const text of ['file', 'nowhere', join(clone, 'same')]) symlinkSync(text, join(inmost, `to-${text.length}`));

    expect(await client.cloneStatus(clone)).toMatchObject({ states: { linked: { files: 7 } } });
    expect(await client.diffClone(clone)).toMatchObject({ counts: { unchanged: { files: 7 } } });
    const staged = await client.stageFiles([clone], { all: true });
    expect(staged).toMatchObject({ replaced: mode === 'copy' ? 0 : 8 });
    expect(new Set(staged.left.map(({ path }) => path.startsWith(DEEP)))).toEqual(new Set([true]));
    expect(await client.restoreFiles([clone], { all: true, force: true })).toMatchObject({ left: [] });
    expect(await client.checkoutVersion(V2, clone)).toMatchObject({ made: 3, removed: 3, left: [] });
    expect(await client.relinkClone(clone)).toMatchObject({ unchanged: 7 });
    expect(await client.cloneStatus(clone)).toMatchObject({ states: { linked: { files: 7 } } });
    expect(readdirSync(inmost)).toHaveLength(4);
  },
);
