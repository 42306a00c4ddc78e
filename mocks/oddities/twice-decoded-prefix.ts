import { findRoute } from '../../src/server/routes.ts';
import { failed, withoutFeature } from './answers.ts';
import type { Oddity } from './world.ts';

/** The prefix of a listing is decoded twice; one that cannot be is a failure. */
export const twiceDecodedPrefix: Oddity = () => async (request, next) => {
  const url = new URL(request.url);
  const prefix = url.searchParams.get('prefix');
  if (findRoute(request)?.name !== 'list' || prefix === null) return withoutFeature(await next(), 'prefix');
  try {
    url.searchParams.set('prefix', decodeURIComponent(prefix));
  } catch (error) {
    if (error instanceof URIError) return failed(request, next);
    throw error;
  }
  const other = new Request(url, { method: request.method, headers: request.headers, signal: request.signal });
  return withoutFeature(await next(other), 'prefix');
};
