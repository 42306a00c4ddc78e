import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CallOptions, ChangePlan, Client, UploadPlan, UploadSession } from '../../src/index.ts';
import { createRig, readTree } from '../helpers/rig.ts';

const V1 = { project: 'p', asset: 'a', version: 'v1' };
const V2 = { ...V1, version: 'v2' };
const seed = { versions: { 'p/a/v1': { 'x.txt': 'x' } } };

const changes: ChangePlan = {
  verb: 'stage',
  ...V1,
  directory: '',
  mode: 'symlink',
  steps: [],
  left: [],
  unchanged: 0,
  fetch: [],
};

/** Calls that would all find something to do; `folder` holds a file. */
const calls: Readonly<Record<string, (client: Client, folder: string, call: CallOptions) => Promise<unknown>>> = {
  fetchManifest: (client, _folder, call) => client.fetchManifest(V1, call),
  fetchSummary: (client, _folder, call) => client.fetchSummary(V1, call),
  fetchLatest: (client, _folder, call) => client.fetchLatest(V1, call),
  listProjects: (client, _folder, call) => client.listProjects(call),
  listAssets: (client, _folder, call) => client.listAssets('p', call),
  listVersions: (client, _folder, call) => client.listVersions(V1, call),
  listFiles: (client, _folder, call) => client.listFiles(V1, call),
  saveFile: (client, _folder, call) => client.saveFile({ ...V1, path: 'x.txt' }, call),
  saveVersion: (client, _folder, call) => client.saveVersion(V1, call),
  resolveLinks: (client, _folder, call) => client.resolveLinks(V1, call),
  cloneVersion: (client, folder, call) => client.cloneVersion(V1, `${folder}-clone`, call),
  cloneStatus: (client, folder, call) => client.cloneStatus(folder, call),
  stageFiles: (client, folder, call) => client.stageFiles([folder], call),
  restoreFiles: (client, folder, call) => client.restoreFiles([folder], call),
  checkoutVersion: (client, folder, call) => client.checkoutVersion(V2, folder, call),
  planStage: (client, folder, call) => client.planStage([folder], call),
  planRestore: (client, folder, call) => client.planRestore([folder], call),
  planCheckout: (client, folder, call) => client.planCheckout(V2, folder, call),
  applyChangePlan: (client, directory, call) => client.applyChangePlan({ ...changes, directory }, call),
  fetchFiles: (client, folder, call) => client.fetchFiles([folder], call),
  dropFiles: (client, folder, call) => client.dropFiles([folder], call),
  relinkClone: (client, folder, call) => client.relinkClone(folder, call),
  relinkClones: (client, _folder, call) => client.relinkClones(call),
  prepareDirectoryUpload: (client, folder, call) => client.prepareDirectoryUpload(folder, call),
  startUpload: (client, directory, call) => client.startUpload(V2, ['n.txt'], { directory, ...call }),
  uploadFiles: (client, folder, call) => client.uploadFiles(session, folder, call),
  completeUpload: (client, _folder, call) => client.completeUpload(session, call),
  abortUpload: (client, _folder, call) => client.abortUpload(session, call),
  uploadDirectory: (client, folder, call) => client.uploadDirectory(V2, folder, call),
  uploadContents: (client, _folder, call) => client.uploadContents(V2, [{ path: 'n', content: 'n' }], call),
  readTree: (client, _folder, call) => client.readTree(V1, call),
  getTree: (client, folder, call) => client.getTree(V1, `${folder}-copy`, call),
  putTree: (client, folder, call) => client.putTree(V1, folder, call),
  addFile: (client, folder, call) => client.addFile(V1, { file: `${folder}/n.txt` }, call),
  removePath: (client, _folder, call) => client.removePath(V1, 'x.txt', call),
  openAssetRepository: (client, _folder, call) => client.openAssetRepository(V1, call).list(),
  syncFromAsset: (client, folder, call) => client.syncFromAsset(V1, `${folder}-replica`, call),
  syncToAsset: (client, folder, call) => client.syncToAsset(folder, V1, call),
  replicateFromAsset: (client, folder, call) =>
    client.replicateFromAsset(V1, `${folder}-replica`, { every: 5, until: new AbortController().signal, ...call }),
  replicateToAsset: (client, folder, call) =>
    client.replicateToAsset(folder, V1, { every: 5, until: new AbortController().signal, ...call }),
  listUploads: (client, _folder, call) => client.listUploads(call),
  resumeUpload: (client, _folder, call) => client.resumeUpload(V2, call),
  abortRecordedUpload: (client, _folder, call) => client.abortRecordedUpload(V2, call),
  planUpload: (client, folder, call) => client.planUpload(V2, folder, call),
  applyUpload: (client, _folder, call) => client.applyUpload(plan, call),
  createProject: (client, _folder, call) => client.createProject('new', call),
  fetchPermissions: (client, _folder, call) => client.fetchPermissions('p', call),
  setPermissions: (client, _folder, call) => client.setPermissions('p', { owners: ['me'], ...call }),
  fetchQuota: (client, _folder, call) => client.fetchQuota('p', call),
  setQuota: (client, _folder, call) => client.setQuota('p', { baseline: 1, ...call }),
  fetchUsage: (client, _folder, call) => client.fetchUsage('p', call),
  fetchLock: (client, _folder, call) => client.fetchLock('p', call),
  releaseProject: (client, _folder, call) => client.releaseProject('p', call),
  unlockProject: (client, _folder, call) => client.unlockProject('p', call),
  approveProbation: (client, _folder, call) => client.approveProbation(V1, call),
  rejectProbation: (client, _folder, call) => client.rejectProbation(V1, call),
  refreshLatest: (client, _folder, call) => client.refreshLatest(V1, call),
  refreshUsage: (client, _folder, call) => client.refreshUsage('p', call),
  removeProject: (client, _folder, call) => client.removeProject('p', call),
  removeAsset: (client, _folder, call) => client.removeAsset(V1, call),
  removeVersion: (client, _folder, call) => client.removeVersion(V1, call),
  publicS3Config: (client, _folder, call) => client.publicS3Config(call),
  requestAccessToken: (client, _folder, call) => client.requestAccessToken({ onCode: () => {}, ...call }),
  whoAmI: (client, _folder, call) => client.whoAmI(call),
  listCache: (client, _folder, call) => client.listCache([V1], call),
  measureCache: (client, _folder, call) => client.measureCache([V1], call),
  pruneCache: (client, _folder, call) => client.pruneCache(call),
  removeCached: (client, _folder, call) => client.removeCached([V1], call),
  verifyCache: (client, _folder, call) => client.verifyCache([V1], call),
  listHistory: (client, _folder, call) => client.listHistory(V1, call),
  diffVersions: (client, _folder, call) => client.diffVersions(V1, V2, call),
  diffClone: (client, folder, call) => client.diffClone(folder, V1, call),
  diffFolders: (client, folder, call) => client.diffFolders(folder, folder, call),
  exportClone: (client, folder, call) => client.exportClone(folder, `${folder}-export`, call),
  traceFile: (client, folder, call) => client.traceFile(`${folder}/n.txt`, call),
};

const plan: UploadPlan = { ...V2, files: [], links: [] };
const session: UploadSession = {
  ...V2,
  token: 'a-token',
  files: [{ path: 'n.txt', size: 3, md5sum: '0'.repeat(32), url: '/upload/presigned-file/x' }],
  completeUrl: '/upload/complete/p/a/v2',
  abortUrl: '/upload/abort/p/a/v2',
};

describe('a signal that is aborted already', () => {
  it.each(Object.entries(calls))('keeps %s from doing anything, and its reason is thrown', async (_name, run) => {
    const { client, registry, folder, makeFolder } = await createRig(seed);
    const mine = await makeFolder('mine', { 'n.txt': 'new' });
    const before = await readTree(folder);
    registry.resetCalls();
    const reason = { nobody: 'wants it' };
    const given = await run(client, mine, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error);
    expect(given).toBe(reason);
    expect(registry.calls).toEqual([]);
    expect(await readTree(folder)).toEqual(before);
    expect(readdirSync(folder)).toEqual(['mine']);
    expect(readdirSync(join(folder, 'mine'))).toEqual(['n.txt']);
  });
});

it('every method of a client is among them', async () => {
  const { client } = await createRig();
  const { context: _context, close: _close, ...methods } = client;
  expect(Object.keys(calls).sort()).toEqual(Object.keys(methods).sort());
});
