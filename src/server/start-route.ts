import { randomUUID } from 'node:crypto';
import { GypsumError, isGypsumError } from '../errors.ts';
import { createPace } from '../give-way.ts';
import { keys } from '../model/keys.ts';
import { formatRef, type VersionRef } from '../model/refs.ts';
import { type AnnouncedContent, type AnnouncedFiles, checkAnnouncedFiles } from './announced-files.ts';
import { checkVersionNames } from './check-version-names.ts';
import { authenticate, type ServerContext } from './context.ts';
import { json, refuse } from './http.ts';
import type { Principal } from './identity.ts';
import { checkUploader } from './permissions.ts';
import { checkQuota, defaultQuota } from './quota.ts';
import { readJson } from './read-json.ts';
import { linksByDirectory, type ResolvedFiles, resolveFiles } from './resolve-files.ts';
import type { Handlers } from './routes.ts';
import { hashSession, projectLocked, requireUnlocked } from './session.ts';
import { deleteVersion } from './version.ts';

/**
 * The largest body: several times what 100,000 files with long paths come to.
 *
 * Units: bytes
 */
const LIMIT = 256 * 1024 * 1024;

/**
 * The same for whoever may not upload. They are told what is wrong with their body before who they are, as the public
 * registry does; but nobody fills the memory without a right to.
 *
 * Units: bytes
 */
const STRANGERS_LIMIT = 1024 * 1024;

/** The route that begins an upload: what was announced is checked, the project locked, the manifest written. */
export function startRoute(context: ServerContext): Pick<Handlers, 'start'> {
  const { documents, signer, projects } = context;

  /** Runs with the project locked by `session`; what it throws leaves nothing of the version behind. */
  async function writeVersion(
    ref: VersionRef,
    announced: AnnouncedFiles,
    summary: { user: string; onProbation: boolean },
    session: string,
  ): Promise<ResolvedFiles> {
    const resolved = await resolveFiles(documents, ref, announced);
    const added = resolved.sent.reduce((total, { size }) => total + size, 0);
    const used = (await documents.usage(ref.project))?.value.total ?? 0;
    checkQuota((await documents.quota(ref.project)) ?? defaultQuota(), used, added);
    // An abort that was interrupted may have left files, which must not be taken for those of this upload.
    await deleteVersion(context, ref);
    try {
      for (const [directory, links] of linksByDirectory(resolved.manifest)) {
        await documents.writeLinks(ref, directory, links);
      }
      await documents.writeManifest(ref, resolved.manifest);
      // The summary comes last: where it stands, all that an upload in progress needs stands too.
      await documents.writeSummary(
        ref,
        { upload_user_id: summary.user, upload_start: new Date().toISOString(), on_probation: summary.onProbation },
        { session },
      );
    } catch (error) {
      await deleteVersion(context, ref);
      throw error;
    }
    return resolved;
  }

  return {
    async start(request, ref) {
      checkVersionNames(ref);
      const rights = await settle(async () => {
        const who = await authenticate(context, request);
        await checkRights(who, ref);
        return who;
      });
      const { files, onProbation } = checkBody(await readBody(request, rights));
      if (!rights.ok) throw rights.error;
      const who = rights.value;
      await requireUnlocked(documents, ref.project);
      await checkIsNew(ref);
      const announced = await checkAnnouncedFiles(files, ref);

      const token = randomUUID();
      const session = hashSession(token);
      const lock = { session_hash: session, asset: ref.asset, version: ref.version };
      // Whoever ends locks, or removes the project, comes before all of this or after it.
      return projects.run(ref.project, async () => {
        const { trusted } = await checkRights(who, ref);
        if (!(await documents.takeLock(ref.project, lock, { user: who.id }))) {
          throw projectLocked(ref.project, await documents.lock(ref.project));
        }
        try {
          // Another upload of it may have ended between the first look and the lock.
          await checkIsNew(ref);
          const summary = { user: who.id, onProbation: !trusted || onProbation };
          const { sent } = await writeVersion(ref, announced, summary, session);
          return json({
            file_urls: await signFiles(sent, ref, session),
            complete_url: `/upload/complete/${ref.project}/${ref.asset}/${ref.version}`,
            abort_url: `/upload/abort/${ref.project}/${ref.asset}/${ref.version}`,
            session_token: token,
          });
        } catch (error) {
          await documents.releaseLock(ref.project);
          throw error;
        }
      });
    },
  };

  async function signFiles(files: readonly AnnouncedContent[], ref: VersionRef, session: string) {
    const urls: { path: string; url: string; method: 'presigned' }[] = [];
    const pace = createPace();
    for (const file of files) {
      if (pace.due()) await pace.rest();
      const slug = signer.sign({ ...ref, ...file }, 'slug', session);
      urls.push({ path: file.path, url: `/upload/presigned-file/${slug}`, method: 'presigned' });
    }
    return urls;
  }

  /** Says whether an upload by somebody is trusted, as the permissions are now. */
  async function checkRights(who: Principal, ref: VersionRef): Promise<{ trusted: boolean }> {
    const permissions = await documents.permissions(ref.project);
    if (permissions === undefined) throw refuse(`There are no existing permissions for project '${ref.project}'.`);
    return checkUploader(who, permissions, ref);
  }

  /** The existing version is left as it is, whoever asks. */
  async function checkIsNew(ref: VersionRef): Promise<void> {
    if ((await context.storage.size(keys.summary(ref))) === undefined) return;
    throw new GypsumError('version-exists', `The version ${formatRef(ref)} exists already.`, { details: { ...ref } });
  }
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

async function settle<T>(work: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, error };
  }
}

async function readBody(request: Request, rights: Settled<unknown>): Promise<unknown> {
  if (rights.ok) return readJson(request, LIMIT);
  try {
    return await readJson(request, STRANGERS_LIMIT);
  } catch (error) {
    throw isGypsumError(error) && error.details.status === 413 ? rights.error : error;
  }
}

function checkBody(body: unknown): { files: unknown; onProbation: boolean } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refuse('The body must be a JSON object.');
  }
  const { files, on_probation: onProbation = false }: { files?: unknown; on_probation?: unknown } = body;
  if (typeof onProbation !== 'boolean') throw refuse('"on_probation" must be true or false.');
  return { files, onProbation };
}
