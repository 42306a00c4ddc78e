import { findRoute } from '../../src/server/routes.ts';
import { failed, withoutFeature } from './answers.ts';
import type { Oddity } from './world.ts';

/** The prefix of a listing is decoded twice; one that cannot be is a failure, and several are one with commas. */
export const twiceDecodedPrefix: Oddity = () => async (request, next) => {
  const url = new URL(request.url);
  const prefixes = url.searchParams.getAll('prefix');
  if (findRoute(request)?.name !== 'list' || prefixes.length === 0) return withoutFeature(await next(), 'prefix');
  try {
    url.searchParams.set('prefix', decodeURIComponent(prefixes.join(',')));
  } catch (error) {
    if (error instanceof URIError) return failed(request, next);
    throw error;
  }
  const other = new Request(url, { method: request.method, headers: request.headers, signal: request.signal });
  return withoutFeature(await next(other), 'prefix');
};
