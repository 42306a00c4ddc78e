import { type Context, type ContextOptions, createContext } from './context.ts';
import { abortRecordedUpload } from './ops/abort-recorded-upload.ts';
import { addFile } from './ops/add-file.ts';
import { applyChangePlan } from './ops/apply-change-plan.ts';
import { applyUpload } from './ops/apply-upload.ts';
import { replicateFromAsset, syncFromAsset } from './ops/asset-replica.ts';
import { openAssetRepository } from './ops/asset-repository.ts';
import { checkoutVersion, planCheckout } from './ops/checkout-version.ts';
import { cloneStatus } from './ops/clone-status.ts';
import { cloneVersion } from './ops/clone-version.ts';
import { createProject } from './ops/create-project.ts';
import { diffClone, diffFolders, diffVersions } from './ops/diff.ts';
import { dropFiles } from './ops/drop-files.ts';
import { exportClone } from './ops/export-clone.ts';
import { fetchManifest, fetchSummary } from './ops/fetch-documents.ts';
import { fetchFiles } from './ops/fetch-files.ts';
import { fetchLatest } from './ops/fetch-latest.ts';
import { getTree } from './ops/get-tree.ts';
import { listAssets, listFiles, listProjects, listVersions } from './ops/list.ts';
import { listCache } from './ops/list-cache.ts';
import { listHistory } from './ops/list-history.ts';
import { fetchLock, releaseProject } from './ops/lock.ts';
import { measureCache } from './ops/measure-cache.ts';
import { fetchPermissions, setPermissions } from './ops/permissions.ts';
import { planUpload } from './ops/plan-upload.ts';
import { prepareDirectoryUpload } from './ops/prepare-directory-upload.ts';
import { approveProbation, rejectProbation } from './ops/probation.ts';
import { pruneCache } from './ops/prune-cache.ts';
import { publicS3Config } from './ops/public-s3-config.ts';
import { syncToAsset } from './ops/publish-folder.ts';
import { putTree } from './ops/put-tree.ts';
import { fetchQuota, fetchUsage, setQuota } from './ops/quota.ts';
import { readTree } from './ops/read-tree.ts';
import { listUploads } from './ops/recorded-uploads.ts';
import { refreshLatest, refreshUsage } from './ops/refresh.ts';
import { relinkClone } from './ops/relink-clone.ts';
import { relinkClones } from './ops/relink-clones.ts';
import { removeAsset, removeProject, removeVersion } from './ops/remove.ts';
import { removeCached } from './ops/remove-cached.ts';
import { removePath } from './ops/remove-path.ts';
import { replicateToAsset } from './ops/replicate-to-asset.ts';
import { requestAccessToken } from './ops/request-access-token.ts';
import { resolveLinks } from './ops/resolve-links.ts';
import { planRestore, restoreFiles } from './ops/restore-files.ts';
import { resumeUpload } from './ops/resume-upload.ts';
import { saveFile, saveVersion } from './ops/save-version.ts';
import { planStage, stageFiles } from './ops/stage-files.ts';
import { startUpload } from './ops/start-upload.ts';
import { traceFile } from './ops/trace-file.ts';
import { unlockProject } from './ops/unlock-project.ts';
import { uploadContents } from './ops/upload-contents.ts';
import { uploadDirectory } from './ops/upload-directory.ts';
import { uploadFiles } from './ops/upload-files.ts';
import { abortUpload, completeUpload } from './ops/upload-session.ts';
import { verifyCache } from './ops/verify-cache.ts';
import { whoAmI } from './ops/who-am-i.ts';

const operations = {
  fetchManifest,
  fetchSummary,
  fetchLatest,
  listProjects,
  listAssets,
  listVersions,
  listFiles,
  saveFile,
  saveVersion,
  resolveLinks,
  cloneVersion,
  cloneStatus,
  stageFiles,
  restoreFiles,
  checkoutVersion,
  planStage,
  planRestore,
  planCheckout,
  applyChangePlan,
  fetchFiles,
  dropFiles,
  relinkClone,
  relinkClones,
  prepareDirectoryUpload,
  startUpload,
  uploadFiles,
  completeUpload,
  abortUpload,
  uploadDirectory,
  uploadContents,
  listUploads,
  resumeUpload,
  abortRecordedUpload,
  planUpload,
  applyUpload,
  createProject,
  fetchPermissions,
  setPermissions,
  fetchQuota,
  setQuota,
  fetchUsage,
  fetchLock,
  releaseProject,
  unlockProject,
  approveProbation,
  rejectProbation,
  refreshLatest,
  refreshUsage,
  removeProject,
  removeAsset,
  removeVersion,
  publicS3Config,
  requestAccessToken,
  whoAmI,
  listCache,
  measureCache,
  pruneCache,
  removeCached,
  verifyCache,
  listHistory,
  traceFile,
  diffVersions,
  diffClone,
  diffFolders,
  exportClone,
  readTree,
  getTree,
  putTree,
  addFile,
  removePath,
  openAssetRepository,
  syncFromAsset,
  syncToAsset,
  replicateFromAsset,
  replicateToAsset,
};

type Operations = typeof operations;

type Bound<F> = F extends (ctx: Context, ...rest: infer Rest) => infer Result ? (...rest: Rest) => Result : never;

/** Every operation as a method; each is the function of the same name without its context. */
export type Client = { readonly [Name in keyof Operations]: Bound<Operations[Name]> } & {
  readonly context: Context;
  /** Closes the connections that are kept open for the next request. */
  close(): Promise<void>;
};

/** Makes a client of one registry and one cache folder, or throws `invalid-argument` saying what is missing. */
export function createClient(options: ContextOptions): Client {
  const context = createContext(options);
  const bound = Object.entries(operations).map(([name, operation]) => [
    name,
    (...rest: unknown[]) => (operation as (ctx: Context, ...rest: unknown[]) => unknown)(context, ...rest),
  ]);
  return { ...Object.fromEntries(bound), context, close: () => context.registry.close() };
}
