import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { status } from '../../mocks/index.ts';
import type { ReadTree, UploadPlan } from '../../src/index.ts';
import { TREE_RECORD } from '../../src/model/tree-record.ts';
import { createUploadStore } from '../../src/state/upload-store.ts';
import { layOut } from '../helpers/files.ts';
import { createRig } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const KEEP = { symlinks: 'keep' } as const;
const RECORD = { ...V1, path: TREE_RECORD };

/** A folder with symlinks, an empty folder and an executable, of which nothing is published yet. */
async function createFolder() {
  const rig = await createRig({ projects: { p: {} } });
  const folder = await rig.makeFolder('mine', { 'run.sh': 'run', 'sub/file': 'file' });
  layOut(folder, { empty: 'folder/', 'sub/up': { link: '../run.sh' }, broken: { link: 'nothing' } });
  chmodSync(join(folder, 'run.sh'), 0o755);
  return { ...rig, folder, at: (path: string) => join(folder, path) };
}

/** The same, published with a tree record, and the record written into the folder, as a plain copy of the version has it. */
async function createPublished() {
  const rig = await createFolder();
  await rig.client.uploadDirectory(V1, rig.folder, KEEP);
  const place = await rig.client.saveFile(RECORD);
  await writeFile(rig.at(TREE_RECORD), await readFile(place));
  return rig;
}

const shape = ({ entries }: ReadTree) =>
  entries.map((entry) => [
    entry.path,
    entry.type,
    entry.type === 'symlink' ? entry.target : entry.type !== 'special' && entry.mode,
  ]);

describe('publishing a folder with its symlinks', () => {
  it('publishes what is no file in a record, which counts as none', async () => {
    const { client, folder } = await createFolder();
    const result = await client.uploadDirectory(V1, folder, KEEP);
    expect(Object.keys(await client.fetchManifest(V1))).toEqual([TREE_RECORD, 'run.sh', 'sub/file']);
    expect(result).toMatchObject({ published: true, files: 2, sent: { files: 2, bytes: 7 } });
    expect(shape(await client.readTree(V1))).toEqual(shape(await client.readTree(folder)));
  });

  it('sends what a plan says that was kept as JSON, also when the folder has other symlinks by now', async () => {
    const { client, folder, at } = await createFolder();
    const before = shape(await client.readTree(folder));
    const plan: UploadPlan = JSON.parse(JSON.stringify(await client.planUpload(V1, folder, KEEP)));
    expect(plan.record).toMatchObject({ path: TREE_RECORD });
    rmSync(at('broken'));
    await client.applyUpload(plan);
    expect(shape(await client.readTree(V1))).toEqual(before);
  });

  it.each([
    ['is another file', { path: 'other' }],
    ['is larger', { size: 1 }],
    ['is none', { content: 'no', size: 2 }],
    ['names a place outside', { content: outside(), size: outside().length }],
  ])('refuses a plan whose record %s', async (_what, wrong) => {
    const { client, folder, registry } = await createFolder();
    const plan = await client.planUpload(V1, folder, KEEP);
    registry.resetCalls();
    const { record } = plan;
    if (record === undefined) throw new Error('there is no record');
    const refused = client.applyUpload({ ...plan, record: { ...record, ...wrong } });
    await expect(refused).rejects.toMatchObject({ code: expect.stringMatching(/^invalid-(argument|manifest)$/) });
    expect(registry.calls).toEqual([]);
  });

  it('refuses a plan whose record is another text of the same length', async () => {
    const { client, folder, registry } = await createFolder();
    const plan = await client.planUpload(V1, folder, KEEP);
    const { record } = plan;
    if (record === undefined) throw new Error('there is no record');
    const content = record.content.replace('"nothing"', '"NOTHING"');
    await expect(client.applyUpload({ ...plan, record: { ...record, content } })).rejects.toMatchObject({
      code: 'file-changed',
    });
    expect(registry.count({ method: 'POST' })).toBe(0);
  });

  it('counts the record where a quota has no room for it', async () => {
    const { client, folder } = await createFolder();
    await client.setQuota('p', { baseline: 100, growthRate: 0 });
    await expect(client.planUpload(V1, folder)).rejects.toMatchObject({ code: 'invalid-tree' });
    await expect(client.planUpload(V1, folder, KEEP)).rejects.toMatchObject({ code: 'refused' });
  });

  it('goes on after a kill with the record as it was', async () => {
    const { client, folder, at, registry, stateDir } = await createFolder();
    const before = shape(await client.readTree(folder));
    const plan = await client.planUpload(V1, folder, KEEP);
    if (plan.record === undefined) throw new Error('there is no record');
    const session = await client.startUpload(V1, [...plan.files, plan.record]);
    await createUploadStore(stateDir).leave(session.id ?? '', session.id ?? '');
    rmSync(at('broken'));
    registry.resetCalls();
    expect(await client.resumeUpload(V1)).toMatchObject({ published: true, sent: { files: 2 } });
    expect(shape(await client.readTree(V1))).toEqual(before);
  });

  it('tries again to send the record after a failure', async () => {
    const { client, folder, registry } = await createFolder();
    registry.inject(status(503), { method: 'PUT', times: 2 });
    await client.uploadDirectory(V1, folder, KEEP);
    expect((await client.readTree(V1)).stale).toEqual([]);
  });
});

describe('publishing it again', () => {
  it('is as unchanged as it is, whatever the times', async () => {
    const { client, folder, at, registry } = await createPublished();
    utimesSync(at('run.sh'), 1, 1);
    utimesSync(at('empty'), 1, 1);
    expect(await client.planUpload(V2, folder)).toMatchObject({ files: [], unchangedSince: V1 });
    expect(await client.uploadDirectory(V2, folder, { ifChanged: true })).toMatchObject({ published: false });
    registry.resetCalls();
    const { record, links } = await client.planUpload(V2, folder);
    expect(record).toBeUndefined();
    expect(links.find(({ path }) => path === TREE_RECORD)).toMatchObject({ link: RECORD });
    await client.uploadDirectory(V2, folder);
    expect((await client.fetchManifest(V2))[TREE_RECORD]?.link).toMatchObject(RECORD);
  });

  it.each<[string, (at: (path: string) => string) => void]>([
    ['a symlink was made', (at) => symlinkSync('run.sh', at('new'))],
    ['a symlink was removed', (at) => rmSync(at('broken'))],
    ['a symlink leads elsewhere', (at) => [rmSync(at('broken')), symlinkSync('other', at('broken'))]],
    ['a folder was made', (at) => mkdirSync(at('new'))],
    ['an empty folder was removed', (at) => rmSync(at('empty'), { recursive: true })],
    ['a file is not executable any more', (at) => chmodSync(at('run.sh'), 0o644)],
  ])('is changed when %s', async (_what, change) => {
    const { client, folder, at } = await createPublished();
    change(at);
    const plan = await client.planUpload(V2, folder);
    expect(plan).not.toHaveProperty('unchangedSince');
    expect(plan).toMatchObject({ files: [], record: { path: TREE_RECORD } });
    await client.applyUpload(plan);
    expect(shape(await client.readTree(V2))).toEqual(
      shape(await client.readTree(folder)).filter(([path]) => path !== TREE_RECORD),
    );
  });

  it('links the record where only files changed, and sends it where nothing shall be linked', async () => {
    const { client, folder, at } = await createPublished();
    await writeFile(at('sub/file'), 'another');
    const { files, links, record } = await client.planUpload(V2, folder);
    expect([files.map(({ path }) => path), links.map(({ path }) => path), record]).toEqual([
      ['sub/file'],
      [TREE_RECORD, 'run.sh'],
      undefined,
    ]);
    const sent = await client.planUpload(V2, folder, { deduplicate: false });
    expect(sent).toMatchObject({ links: [], record: { path: TREE_RECORD } });
  });

  it('has no record, and no symlinks, where they are followed', async () => {
    const { client, folder, at } = await createPublished();
    rmSync(at('broken'));
    const plan = await client.planUpload(V2, folder, { symlinks: 'follow' });
    expect(plan).not.toHaveProperty('unchangedSince');
    await client.applyUpload(plan);
    expect(Object.keys(await client.fetchManifest(V2))).toEqual(['run.sh', 'sub/file', 'sub/up']);
  });

  it('takes a latest version for none to compare with whose record is refused', async () => {
    const { client, folder } = await createFolder();
    await client.uploadContents(V1, [
      { path: 'run.sh', content: 'run' },
      { path: 'sub/file', content: 'file' },
      { path: TREE_RECORD, content: 'no record' },
    ]);
    const plan = await client.planUpload(V2, folder, KEEP);
    expect(plan).not.toHaveProperty('unchangedSince');
    expect(plan).toHaveProperty('record');
  });
});

function outside(): string {
  return JSON.stringify({ 'gypsum-tree': 1, entries: [{ path: '../x', type: 'dir' }] });
}
