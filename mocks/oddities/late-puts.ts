import { findRoute } from '../../src/server/routes.ts';
import { readTicket } from '../../src/server/signer.ts';
import { readDocument } from './answers.ts';
import { storeContent } from './store-content.ts';
import type { Oddity } from './world.ts';

/** A presigned URL is good for longer than its session: what is put there after its end is stored. */
export const latePuts: Oddity = ({ storage }) => {
  const given = new Set<string>();
  return async (request, next) => {
    const { name, parameters = {} } = findRoute(request) ?? {};
    const answer = await next();
    if (name === 'presign' && answer.ok) {
      const { url } = await readDocument<{ url: string }>(answer);
      given.add(url.slice(url.lastIndexOf('/') + 1));
    }
    const { ticket: text = '' } = parameters;
    if (name !== 'put' || answer.status !== 403 || !given.has(text)) return answer;
    const ticket = readTicket(text);
    return (ticket && (await storeContent(storage, request, ticket))) ?? answer;
  };
};
