import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { isGypsumError } from '../../src/errors.ts';
import { parseMd5 } from '../../src/model/digest.ts';
import { keys } from '../../src/model/keys.ts';
import { formatFileRef } from '../../src/model/refs.ts';
import { findRoute } from '../../src/server/routes.ts';
import { readTicket } from '../../src/server/signer.ts';
import { readDocument } from './answers.ts';
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
    if (name !== 'put' || answer.status !== 403 || !given.has(text) || request.bodyUsed) return answer;
    const ticket = readTicket(text);
    const digest = parseMd5(ticket?.md5sum ?? '');
    if (ticket === undefined || digest === undefined) return answer;
    const body = request.body === null ? Readable.from([]) : Readable.fromWeb(request.body as ReadableStream);
    try {
      const staged = await storage.stage(body, { digest, size: ticket.size }, formatFileRef(ticket));
      await staged.publish(keys.file(ticket));
    } catch (error) {
      if (isGypsumError(error, 'wrong-content')) return answer;
      throw error;
    }
    return new Response(null, { headers: { etag: `"${digest.hex}"`, 'content-length': '0' } });
  };
};
