import { findRoute, type RouteName } from '../../src/server/routes.ts';
import { toNothing } from './answers.ts';
import type { Oddity } from './world.ts';

const ROUTES: readonly RouteName[] = ['bulk', 'whoami', 'lock', 'release', 'health'];
const ASKED = ['range', 'if-range', 'if-none-match', 'if-modified-since'];
const SAID = ['gypsum-features', 'gypsum-registry', 'accept-ranges', 'access-control-expose-headers'];

/** Nothing beside the contract: no such routes and headers, and whoever asks for a part gets the whole. */
export const noExtras: Oddity = () => async (request, next) => {
  const name = findRoute(request)?.name;
  if (name !== undefined && ROUTES.includes(name)) return next(toNothing(request));
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  const answer = await next(isRead ? without(request, ASKED) : request);
  const headers = new Headers(answer.headers);
  for (const header of SAID) headers.delete(header);
  return new Response(answer.body, { status: answer.status, headers });
};

function without(request: Request, names: readonly string[]): Request {
  const headers = new Headers(request.headers);
  for (const name of names) headers.delete(name);
  return new Request(request.url, { method: request.method, headers, signal: request.signal });
}
