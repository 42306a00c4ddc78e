import { type Context, type ContextOptions, createContext } from './context.ts';
import { openAssetRepository } from './ops/asset-repository.ts';

/** Each is loaded when it is first called: to load them all takes 250 ms of CPU. */
const operations = {
  ...from(() => import('./ops/fetch-documents.ts'), 'fetchManifest', 'fetchSummary'),
  ...from(() => import('./ops/fetch-latest.ts'), 'fetchLatest'),
  ...from(() => import('./ops/list.ts'), 'listProjects', 'listAssets', 'listVersions', 'listFiles'),
  ...from(() => import('./ops/save-version.ts'), 'saveFile', 'saveVersion'),
  ...from(() => import('./ops/resolve-links.ts'), 'resolveLinks'),
  ...from(() => import('./ops/clone-version.ts'), 'cloneVersion'),
  ...from(() => import('./ops/clone-status.ts'), 'cloneStatus'),
  ...from(() => import('./ops/stage-files.ts'), 'stageFiles', 'planStage'),
  ...from(() => import('./ops/restore-files.ts'), 'restoreFiles', 'planRestore'),
  ...from(() => import('./ops/checkout-version.ts'), 'checkoutVersion', 'planCheckout'),
  ...from(() => import('./ops/apply-change-plan.ts'), 'applyChangePlan'),
  ...from(() => import('./ops/fetch-files.ts'), 'fetchFiles'),
  ...from(() => import('./ops/drop-files.ts'), 'dropFiles'),
  ...from(() => import('./ops/relink-clone.ts'), 'relinkClone'),
  ...from(() => import('./ops/relink-clones.ts'), 'relinkClones'),
  ...from(() => import('./ops/prepare-directory-upload.ts'), 'prepareDirectoryUpload'),
  ...from(() => import('./ops/start-upload.ts'), 'startUpload'),
  ...from(() => import('./ops/upload-files.ts'), 'uploadFiles'),
  ...from(() => import('./ops/upload-session.ts'), 'completeUpload', 'abortUpload'),
  ...from(() => import('./ops/upload-directory.ts'), 'uploadDirectory'),
  ...from(() => import('./ops/upload-contents.ts'), 'uploadContents'),
  ...from(() => import('./ops/recorded-uploads.ts'), 'listUploads'),
  ...from(() => import('./ops/resume-upload.ts'), 'resumeUpload'),
  ...from(() => import('./ops/abort-recorded-upload.ts'), 'abortRecordedUpload'),
  ...from(() => import('./ops/plan-upload.ts'), 'planUpload'),
  ...from(() => import('./ops/apply-upload.ts'), 'applyUpload'),
  ...from(() => import('./ops/create-project.ts'), 'createProject'),
  ...from(() => import('./ops/permissions.ts'), 'fetchPermissions', 'setPermissions'),
  ...from(() => import('./ops/quota.ts'), 'fetchQuota', 'setQuota', 'fetchUsage'),
  ...from(() => import('./ops/lock.ts'), 'fetchLock', 'releaseProject'),
  ...from(() => import('./ops/unlock-project.ts'), 'unlockProject'),
  ...from(() => import('./ops/probation.ts'), 'approveProbation', 'rejectProbation'),
  ...from(() => import('./ops/refresh.ts'), 'refreshLatest', 'refreshUsage'),
  ...from(() => import('./ops/remove.ts'), 'removeProject', 'removeAsset', 'removeVersion'),
  ...from(() => import('./ops/public-s3-config.ts'), 'publicS3Config'),
  ...from(() => import('./ops/request-access-token.ts'), 'requestAccessToken'),
  ...from(() => import('./ops/who-am-i.ts'), 'whoAmI'),
  ...from(() => import('./ops/list-cache.ts'), 'listCache'),
  ...from(() => import('./ops/measure-cache.ts'), 'measureCache'),
  ...from(() => import('./ops/prune-cache.ts'), 'pruneCache'),
  ...from(() => import('./ops/remove-cached.ts'), 'removeCached'),
  ...from(() => import('./ops/verify-cache.ts'), 'verifyCache'),
  ...from(() => import('./ops/list-history.ts'), 'listHistory'),
  ...from(() => import('./ops/trace-file.ts'), 'traceFile'),
  ...from(() => import('./ops/diff.ts'), 'diffVersions', 'diffClone', 'diffFolders'),
  ...from(() => import('./ops/export-clone.ts'), 'exportClone'),
  ...from(() => import('./ops/read-tree.ts'), 'readTree'),
  ...from(() => import('./ops/get-tree.ts'), 'getTree'),
  ...from(() => import('./ops/put-tree.ts'), 'putTree'),
  ...from(() => import('./ops/add-file.ts'), 'addFile'),
  ...from(() => import('./ops/remove-path.ts'), 'removePath'),
  ...from(() => import('./ops/asset-replica.ts'), 'syncFromAsset', 'replicateFromAsset'),
  ...from(() => import('./ops/publish-folder.ts'), 'syncToAsset'),
  ...from(() => import('./ops/replicate-to-asset.ts'), 'replicateToAsset'),
  openAssetRepository,
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

/** The functions of a module that give what they give later. */
type Asynchronous<Module> = {
  [Name in keyof Module as Module[Name] extends (...rest: never) => Promise<unknown> ? Name : never]: Module[Name];
};

/** Gives functions of a module that is loaded when the first of them is called. */
function from<Module, Name extends keyof Asynchronous<Module>>(
  load: () => Promise<Module>,
  ...names: readonly Name[]
): Pick<Asynchronous<Module>, Name> {
  const call =
    (name: Name) =>
    async (...args: readonly unknown[]) =>
      ((await load()) as Record<Name, (...args: readonly unknown[]) => unknown>)[name](...args);
  return Object.fromEntries(names.map((name) => [name, call(name)])) as unknown as Pick<Asynchronous<Module>, Name>;
}
