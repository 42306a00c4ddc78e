import { route } from '../../src/registry/route.ts';
import { findRoute } from '../../src/server/routes.ts';
import { readTicket } from '../../src/server/signer.ts';
import { failed, readDocument, toPath, withDocument, withoutFeature } from './answers.ts';
import { latin1Slug, readLatin1Slug } from './latin1-slug.ts';
import { parametersFor } from './parameters.ts';
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
  return async (request, next) => {
    const ref = parametersFor(request, 'start');
    if (ref !== undefined) {
      const answer = await next();
      if (!answer.ok) return answer;
      const started = await readDocument<Started>(answer);
      const files = started.file_urls.map((file) => {
        const slug = file.url.slice(PRESIGN.length);
        const { project, asset, version, path, md5sum } = ticketOf(slug);
        return { ...file, slug, fields: [project, asset, version, path, md5sum] };
      });
      if (files.some(({ fields }) => /[^\0-\xff]/.test(fields.join('')))) {
        const abort = route('upload/abort', ref.project, ref.asset, ref.version);
        await ask('POST', abort, { token: started.session_token });
        return failed(request, next);
      }
      for (const { slug, fields } of files) own.set(nameOf(started.session_token, fields), slug);
      const file_urls = files.map(({ slug: _slug, fields, ...file }) => ({
        ...file,
        url: PRESIGN + latin1Slug(fields),
      }));
      return withDocument(answer, { ...started, file_urls });
    }
    const found = findRoute(request);
    if (found?.name !== 'presign') return withoutFeature(await next(), 'unicode');
    const session = request.headers.get('authorization')?.replace(/^Bearer /, '') ?? '';
    const slug = own.get(nameOf(session, readLatin1Slug(found.parameters.slug ?? '') ?? []));
    return next(slug === undefined ? request : toPath(request, PRESIGN + slug));
  };
};

function ticketOf(slug: string) {
  const ticket = readTicket(slug);
  if (ticket === undefined) throw new Error('The registry gave out a slug that is none.');
  return ticket;
}
