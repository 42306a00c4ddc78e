import { encodeSessionUrl } from '../../src/registry/session-url.ts';
import { findRoute } from '../../src/server/routes.ts';
import { failed, readDocument, toPath, withDocument, withoutFeature } from './answers.ts';
import { latin1Slug, readSlug, type Slug } from './slugs.ts';
import { PRESIGN, type Started } from './started.ts';
import type { Oddity } from './world.ts';

/**
 * The address at which a file's presigned URL is asked for is Latin-1 in base64. Names beyond Latin-1 end a start with
 * status 500, and one with a slash in it is no route.
 */
export const latin1Slugs: Oddity = ({ ask }) => {
  /** Our own slugs, by session and by what the other ones say. */
  const own = new Map<string, string>();
  const nameOf = (session: string, { project, asset, version, path, md5sum }: Slug) =>
    JSON.stringify([session, project, asset, version, path, md5sum]);

  async function rename(started: Started): Promise<Started | undefined> {
    const { session_token: token } = started;
    const renamed = started.file_urls.map(({ url, ...file }) => {
      const slug = url.slice(PRESIGN.length);
      return { file, slug, fields: fieldsOf(slug) };
    });
    if (renamed.some(({ fields }) => /[^\0-\xff]/.test(nameOf('', fields)))) {
      await ask('POST', encodeSessionUrl(started.abort_url), { token });
      return undefined;
    }
    for (const { fields, slug } of renamed) own.set(nameOf(token, fields), slug);
    return {
      ...started,
      file_urls: renamed.map(({ file, fields }) => ({ ...file, url: PRESIGN + latin1Slug(fields) })),
    };
  }

  return async (request, next) => {
    const { name, parameters = {} } = findRoute(request) ?? {};
    if (name === 'presign') {
      const session = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
      const fields = readSlug(parameters.slug ?? '');
      const slug = fields && own.get(nameOf(session, fields));
      return next(slug === undefined ? request : toPath(request, PRESIGN + slug));
    }
    const answer = withoutFeature(await next(), 'unicode');
    if (name !== 'start' || !answer.ok) return answer;
    const started = await rename(await readDocument<Started>(answer));
    return started === undefined ? failed(request, next) : withDocument(answer, started);
  };
};

/** What a slug of ours says that the other ones say, too. */
function fieldsOf(text: string): Slug {
  const slug = readSlug(text);
  if (slug === undefined) throw new Error('The registry gave out a slug that is none.');
  return slug;
}
