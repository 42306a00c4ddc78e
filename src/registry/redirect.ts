/** How often one request is sent on. */
export const MAX_REDIRECTS = 5;

const MOVED = [301, 302, 307, 308];

const MOVED_WITH_ITS_BODY = [307, 308];

/**
 * Gives where an answer sends a request on, if it may go there.
 *
 * What reads may go anywhere, but never from https to http. What writes stays at its origin: nobody else is told what is
 * written, and by whom.
 */
export function redirectTarget(method: string, from: URL, status: number, location: unknown): URL | undefined {
  if (!(method === 'GET' ? MOVED : MOVED_WITH_ITS_BODY).includes(status)) return undefined;
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) return undefined;
  const to = new URL(location, from);
  if (method !== 'GET') return to.origin === from.origin ? to : undefined;
  return to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:') ? to : undefined;
}
