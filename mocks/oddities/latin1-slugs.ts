import { encodeSessionUrl } from '../../src/registry/session-url.ts';
import { findRoute } from '../../src/server/routes.ts';
import { readTicket } from '../../src/server/signer.ts';
import { failed, readDocument, toPath, withDocument, withoutFeature } from './answers.ts';
import { latin1Slug, readLatin1Slug } from './latin1-slug.ts';
import type { Oddity } from './world.ts';

interface Started {
  readonly file_urls: readonly { readonly path: string; readonly url: string }[];
  readonly abort_url: string;
  readonly session_token: string;
}

const PRESIGN = '/upload/presigned-file/';

/**
 * The address at which a file's presigned URL is asked for is Latin-1 in base64. Names beyond Latin-1 end a start with
 * status 500, and one with a slash in it is no route.
 */
export const latin1Slugs: Oddity = ({ ask }) => {
  /** Our own slugs, by session and by what the other ones say. */
  const own = new Map<string, string>();
  const nameOf = (session: string, fields: readonly string[]) => JSON.stringify([session, ...fields]);

  async function rename(started: Started): Promise<Started | undefined> {
    const { session_token: token } = started;
    const renamed = started.file_urls.map(({ url, ...file }) => {
      const slug = url.slice(PRESIGN.length);
      return { ...file, slug, fields: fieldsOf(slug) };
    });
    if (renamed.some(({ fields }) => /[^\0-\xff]/.test(fields.join('')))) {
      await ask('POST', encodeSessionUrl(started.abort_url), { token });
      return undefined;
    }
    for (const { fields, slug } of renamed) own.set(nameOf(token, fields), slug);
    const file_urls = renamed.map(({ fields, slug: _own, ...file }) => ({
      ...file,
      url: PRESIGN + latin1Slug(fields),
    }));
    return { ...started, file_urls };
  }

  return async (request, next) => {
    const { name, parameters = {} } = findRoute(request) ?? {};
    if (name === 'presign') {
      const session = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
      const slug = own.get(nameOf(session, readLatin1Slug(parameters.slug ?? '') ?? []));
      return next(slug === undefined ? request : toPath(request, PRESIGN + slug));
    }
    const answer = withoutFeature(await next(), 'unicode');
    if (name !== 'start' || !answer.ok) return answer;
    const started = await rename(await readDocument<Started>(answer));
    return started === undefined ? failed(request, next) : withDocument(answer, started);
  };
};

/** What a slug of ours says that the other ones say, too. */
function fieldsOf(slug: string): string[] {
  const ticket = readTicket(slug);
  if (ticket === undefined) throw new Error('The registry gave out a slug that is none.');
  const { project, asset, version, path, md5sum } = ticket;
  return [project, asset, version, path, md5sum];
}
