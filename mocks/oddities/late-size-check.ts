import { findRoute } from '../../src/server/routes.ts';
import { readTicket } from '../../src/server/signer.ts';
import { storeContent } from './store-content.ts';
import type { Oddity } from './world.ts';

/** Content of another size than was announced is stored if its MD5 is right; its upload cannot be completed. */
export const lateSizeCheck: Oddity =
  ({ storage }) =>
  async (request, next) => {
    const { name, parameters = {} } = findRoute(request) ?? {};
    const answer = await next();
    // Of what the registry refuses, this is all that has a right address and the right digest, and was not read.
    if (name !== 'put' || answer.status !== 400) return answer;
    const ticket = readTicket(parameters.ticket ?? '');
    return (ticket && (await storeContent(storage, request, ticket))) ?? answer;
  };
