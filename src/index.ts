export { type SetAccessTokenOptions, setAccessToken } from './access-token.ts';
export { type Client, createClient } from './client.ts';
export { accessToken, type Config, configFromEnvironment, defaultCacheDir, PUBLIC_REGISTRY } from './config.ts';
export { type Context, type ContextOptions, createContext } from './context.ts';
export { type ErrorCode, GypsumError, isGypsumError } from './errors.ts';
export type { CallOptions, GypsumEvent, OnEvent, Task } from './events.ts';
export { type Followed, followEvents } from './follow-events.ts';
export type { CloneMode } from './model/clone-mode.ts';
export type { Count } from './model/count.ts';
export type {
  ChangeCounts,
  EntryCount,
  EntryState,
  FileChange,
  FileState,
  FolderState,
  SymlinkState,
} from './model/file-change.ts';
export type { RunOutcome } from './model/job-due.ts';
export type { JobSettings } from './model/job-settings.ts';
export type { Manifest, ManifestEntry, ManifestLink } from './model/manifest.ts';
export type { TreeChange } from './model/merge-trees.ts';
export { type PathFault, type PathStep, type Resolved, realpath } from './model/realpath.ts';
export {
  type AssetRef,
  type FileRef,
  formatFileRef,
  formatRef,
  parseFileRef,
  parseRef,
  parseScope,
  parseVersionRef,
  type Ref,
  type Scope,
  type VersionRef,
} from './model/refs.ts';
export type { CronSchedule, IntervalSchedule, Schedule } from './model/schedule.ts';
export type { Selection } from './model/select-files.ts';
export type { VersionState, VersionSummary } from './model/summary.ts';
export type { DirectoryEntry, Entry, FileEntry, SpecialEntry, SymlinkEntry } from './model/tree.ts';
export type { AnnouncedFile, LocalFile, PlannedFile, UploadFile, UploadLink, UploadPlan } from './model/upload-plan.ts';
export type { StaleEntry } from './model/version-tree.ts';
export { type AbortedUpload, type AbortRecordedOptions, abortRecordedUpload } from './ops/abort-recorded-upload.ts';
export { type AddOptions, type AddSource, addFile } from './ops/add-file.ts';
export { addJob, type Job, type NewJob } from './ops/add-job.ts';
export type { ShownChange } from './ops/add-patches.ts';
export { applyChangePlan, type ChangeResult } from './ops/apply-change-plan.ts';
export { type ApplyLinkingOptions, applyLinking } from './ops/apply-linking.ts';
export { type ApplyOptions, applyUpload, type UploadResult } from './ops/apply-upload.ts';
export { replicateFromAsset, syncFromAsset } from './ops/asset-replica.ts';
export { openAssetRepository } from './ops/asset-repository.ts';
export type { CacheFault, CacheProblem } from './ops/cache-problems.ts';
export type { ChangePlan } from './ops/change-plan.ts';
export { type CheckoutOptions, checkoutVersion, planCheckout } from './ops/checkout-version.ts';
export { type CloneStatus, cloneStatus } from './ops/clone-status.ts';
export { type CloneOptions, type CloneResult, cloneVersion } from './ops/clone-version.ts';
export type { ClonePath, CloneState } from './ops/compare-clone.ts';
export { type CreateProjectOptions, createProject, type Quota, type Uploader } from './ops/create-project.ts';
export {
  type Diff,
  type DiffCloneOptions,
  type DiffOptions,
  type DiffSide,
  diffClone,
  diffFolders,
  diffVersions,
} from './ops/diff.ts';
export { type DropOptions, type DroppedFiles, dropFiles } from './ops/drop-files.ts';
export { type ExportOptions, type ExportResult, exportClone } from './ops/export-clone.ts';
export { fetchManifest, fetchSummary } from './ops/fetch-documents.ts';
export { type FetchedFiles, fetchFiles } from './ops/fetch-files.ts';
export { fetchLatest } from './ops/fetch-latest.ts';
export type { TracedFile } from './ops/follow-links.ts';
export type { Publishing, Refused } from './ops/foresee-publishing.ts';
export type { GetSymlinks } from './ops/get-entries.ts';
export { type ExistsRule, type GetOptions, type GetResult, getTree } from './ops/get-tree.ts';
export type { FinishedRun, JobEvent, OnJobEvent } from './ops/job-events.ts';
export type { JobRunnerOptions } from './ops/job-runner.ts';
export type { SymlinkRule } from './ops/kept-symlinks.ts';
export { linkFolders, linkStatus } from './ops/link-folders.ts';
export type { LinkedFile, LinkPlan, LinkResult, LinkState, LinkStatus, LinkType } from './ops/link-plan.ts';
export { type ListFilesOptions, listAssets, listFiles, listProjects, listVersions } from './ops/list.ts';
export { type CachedClone, type CachedVersion, listCache } from './ops/list-cache.ts';
export { type History, type HistoryEntry, type HistoryOptions, listHistory } from './ops/list-history.ts';
export { type JobList, type JobRun, type ListedJob, listJobs } from './ops/list-jobs.ts';
export { listTree, type TreeListing } from './ops/list-tree.ts';
export { fetchLock, type ProjectLock, releaseProject } from './ops/lock.ts';
export { type CacheUsage, measureCache, type Usage } from './ops/measure-cache.ts';
export { type LogFormat, type OperationLog, openOperationLog } from './ops/operation-log.ts';
export {
  fetchPermissions,
  type Permissions,
  type SetPermissionsOptions,
  setPermissions,
} from './ops/permissions.ts';
export { type LinkOptions, planLinking } from './ops/plan-linking.ts';
export { type PlanOptions, planUpload } from './ops/plan-upload.ts';
export {
  type PreparedUpload,
  type PrepareOptions,
  prepareDirectoryUpload,
} from './ops/prepare-directory-upload.ts';
export { approveProbation, rejectProbation } from './ops/probation.ts';
export { type PruneOptions, type PruneResult, pruneCache } from './ops/prune-cache.ts';
export { publicS3Config, type S3Config } from './ops/public-s3-config.ts';
export { syncToAsset } from './ops/publish-folder.ts';
export type {
  AssetSyncResult,
  PublishedChange,
  ReplicateToAssetOptions,
  SyncToAssetOptions,
} from './ops/publish-options.ts';
export type { ChangedTree, ChangeTreeOptions } from './ops/publish-tree.ts';
export { type PutOptions, type PutResult, type PutSymlinks, putTree } from './ops/put-tree.ts';
export { fetchQuota, fetchUsage, type QuotaNow, type SetQuotaOptions, setQuota } from './ops/quota.ts';
export type { Skipped } from './ops/read-comparable.ts';
export type { LinkRule } from './ops/read-folder.ts';
export { type ReadTree, type ReadTreeOptions, readTree } from './ops/read-tree.ts';
export { listUploads, type RecordedUpload, type RecordedUploads } from './ops/recorded-uploads.ts';
export { refreshLatest, refreshUsage } from './ops/refresh.ts';
export { type RelinkOptions, type RelinkResult, relinkClone } from './ops/relink-clone.ts';
export { type RelinkedClones, relinkClones } from './ops/relink-clones.ts';
export { removeAsset, removeProject, removeVersion } from './ops/remove.ts';
export { type RemoveCachedOptions, type RemovedFromCache, removeCached } from './ops/remove-cached.ts';
export { type RemovedJob, removeJob } from './ops/remove-job.ts';
export { type RemovePathOptions, removePath } from './ops/remove-path.ts';
export { type RenderOptions, renderTree } from './ops/render-tree.ts';
export type { GuardName } from './ops/replica-memory.ts';
export { replicateFolders } from './ops/replicate-folders.ts';
export type { ReplicateOptions } from './ops/replicate-options.ts';
export { replicateToAsset } from './ops/replicate-to-asset.ts';
export { type DeviceCode, type RequestTokenOptions, requestAccessToken } from './ops/request-access-token.ts';
export { resolveLinks } from './ops/resolve-links.ts';
export { planRestore, type RestoreOptions, restoreFiles } from './ops/restore-files.ts';
export { type ResumeOptions, resumeUpload } from './ops/resume-upload.ts';
export { type RunJobsOptions, runDueJobs, runJob, runJobs } from './ops/run-jobs.ts';
export type { SaveOptions } from './ops/save-contents.ts';
export { type SaveResult, type SaveVersionOptions, saveFile, saveVersion } from './ops/save-version.ts';
export type { CloneSelection } from './ops/select-in-clone.ts';
export { planStage, type StageOptions, stageFiles } from './ops/stage-files.ts';
export { type StageFolderOptions, stageFolder } from './ops/stage-folder.ts';
export type { StagedFolder, StagedLink, StageState } from './ops/staged-folder.ts';
export { type AnnouncedLink, type StartOptions, startUpload } from './ops/start-upload.ts';
export { syncFolders } from './ops/sync-folders.ts';
export type { SyncOptions } from './ops/sync-options.ts';
export type { ReplicateResult, SyncFailure, SyncResult } from './ops/sync-result.ts';
export { type FileTrace, traceFile } from './ops/trace-file.ts';
export type { TreeNode } from './ops/tree-node.ts';
export { unlockProject } from './ops/unlock-project.ts';
export { type UploadContent, uploadContents } from './ops/upload-contents.ts';
export { type UploadOptions, uploadDirectory } from './ops/upload-directory.ts';
export { type UploadFilesOptions, uploadFiles } from './ops/upload-files.ts';
export {
  abortUpload,
  completeUpload,
  type UploadSession,
} from './ops/upload-session.ts';
export { type CacheVerified, type VerifyCacheOptions, verifyCache } from './ops/verify-cache.ts';
export type { CacheScope, CloneScope } from './ops/versions-in-scopes.ts';
export { type User, whoAmI } from './ops/who-am-i.ts';
export { type LocalRepositoryOptions, openLocalRepository } from './tree/local-repository.ts';
export type { ReplicaEntry } from './tree/replica-entry.ts';
export type { Operation } from './tree/replica-plan.ts';
export type {
  Change,
  ContentAlgorithm,
  File,
  Listing,
  ListOptions,
  NewEntry,
  Repository,
  Written,
} from './tree/repository.ts';
export type { LeftPath, LeftState } from './tree/standing.ts';
export type { Step } from './tree/step.ts';
export { VERSION } from './version.ts';
