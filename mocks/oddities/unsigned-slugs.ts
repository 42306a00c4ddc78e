import { digestToBase64, parseMd5 } from '../../src/model/digest.ts';
import { keys } from '../../src/model/keys.ts';
import { sameVersion } from '../../src/model/refs.ts';
import { findRoute } from '../../src/server/routes.ts';
import { hashSession, isSession } from '../../src/server/session.ts';
import { failed, withDocument } from './answers.ts';
import { parametersFor } from './parameters.ts';
import { readSlug, type Slug, unsignedSlug } from './slugs.ts';
import { storeContent } from './store-content.ts';
import type { Oddity } from './world.ts';

/**
 * Slugs are not signed: a session can put what it likes in its version, also `..summary` and `..manifest`, files that it
 * has not announced, and such as it has announced as links; with one of those it cannot be completed.
 */
export const unsignedSlugs: Oddity = ({ storage, documents }) => {
  /** What was presigned that the registry itself would not have, by what it can be put to. */
  const given = new Map<string, Slug>();

  async function mayPut(request: Request, { project, asset, version }: Slug): Promise<boolean> {
    const lock = (await documents.lock(project))?.value;
    const token = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
    return lock?.asset === asset && lock.version === version && isSession(lock, hashSession(token));
  }

  return async (request, next) => {
    const { name, parameters = {} } = findRoute(request) ?? {};
    const put = given.get(parameters.ticket ?? '');
    if (put !== undefined) {
      const isSigned = request.headers.get('content-md5') === contentMd5(put);
      return (isSigned ? await storeContent(storage, request, put) : undefined) ?? next();
    }
    const ref = parametersFor(request, 'complete');
    if (ref !== undefined) {
      const manifest = await documents.manifest(ref);
      const links = [...given.values()].filter((file) => sameVersion(file, ref) && manifest?.get(file.path)?.link);
      for (const file of links) if ((await storage.size(keys.file(file))) !== undefined) return failed(request, next);
    }
    const answer = await next();
    const file = name === 'presign' && !answer.ok ? readSlug(parameters.slug ?? '') : undefined;
    const md5sum_base64 = file && contentMd5(file);
    if (file === undefined || md5sum_base64 === undefined || !(await mayPut(request, file))) return answer;
    const ticket = `${unsignedSlug(file)}-${given.size}`;
    given.set(ticket, file);
    const url = new URL(`/upload/content/${ticket}`, request.url).href;
    const done = new Response(null, { headers: { 'content-type': 'application/json' } });
    return withDocument(done, { url, md5sum_base64 });
  };
};

function contentMd5({ md5sum }: Slug): string | undefined {
  const digest = parseMd5(md5sum);
  return digest && digestToBase64(digest);
}
