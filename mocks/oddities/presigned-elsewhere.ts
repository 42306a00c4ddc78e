import { findRoute } from '../../src/server/routes.ts';
import { readDocument, toNothing, withDocument } from './answers.ts';
import type { Oddity } from './world.ts';

/** Content is put to another origin, which refuses whoever sends it a token. */
export const presignedElsewhere: Oddity =
  ({ bucket }) =>
  async (request, next) => {
    const name = findRoute(request)?.name;
    if (request.url.startsWith(`${bucket()}/`)) {
      if (name !== 'put') return refusal(403, 'AccessDenied');
      return request.headers.has('authorization') ? refusal(400, 'InvalidArgument') : next();
    }
    if (name === 'put') return next(toNothing(request));
    const answer = await next();
    if (name !== 'presign' || !answer.ok) return answer;
    const presigned = await readDocument<{ url: string }>(answer);
    return withDocument(answer, { ...presigned, url: bucket() + new URL(presigned.url).pathname });
  };

function refusal(status: number, code: string): Response {
  const headers = { 'content-type': 'application/xml' };
  return new Response(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`, { status, headers });
}
