import { findRoute } from '../../src/server/routes.ts';
import { readDocument, toPath } from './answers.ts';
import type { Oddity } from './world.ts';

/** The first presigned URL of each file has expired before it is used; the next one is good. */
export const expiringUrls: Oddity = () => {
  const asked = new Set<string>();
  const expired = new Set<string>();
  return async (request, next) => {
    const { name, parameters = {} } = findRoute(request) ?? {};
    const { slug = '', ticket = '' } = parameters;
    // The registry itself refuses what it has not signed, with the same status.
    if (name === 'put' && expired.has(ticket)) return next(toPath(request, `/upload/content/${ticket}x`));
    const answer = await next();
    if (name !== 'presign' || !answer.ok || asked.has(slug)) return answer;
    asked.add(slug);
    const { url } = await readDocument<{ url: string }>(answer);
    expired.add(url.slice(url.lastIndexOf('/') + 1));
    return answer;
  };
};
