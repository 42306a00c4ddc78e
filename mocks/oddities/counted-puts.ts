import { findRoute } from '../../src/server/routes.ts';
import type { Oddity } from './world.ts';

/** Content is taken with a `Content-Length` alone, also where there is none of it. */
export const countedPuts: Oddity = () => async (request, next) => {
  if (findRoute(request)?.name !== 'put' || request.headers.has('content-length')) return next();
  const xml = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>MissingContentLength</Code></Error>';
  return new Response(xml, { status: 411, headers: { 'content-type': 'application/xml' } });
};
