import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { isGypsumError } from '../errors.ts';
import { digestToBase64, parseMd5 } from '../model/digest.ts';
import { keys } from '../model/keys.ts';
import { formatFileRef } from '../model/refs.ts';
import type { ServerContext } from './context.ts';
import { json, refuse } from './http.ts';
import { createKnownLocks } from './known-locks.ts';
import type { Handlers } from './routes.ts';
import { isSession, requireSession, sessionToken } from './session.ts';
import type { ReceivedTicket, Ticket } from './signer.ts';

const WRONG_SIGNATURE =
  'The request signature we calculated does not match the signature you provided. Check your secret access key and signing method.';
const BAD_DIGEST = 'The Content-MD5 you specified did not match what we received.';

/** Units: bytes */
const SMALL = 64 * 1024;

/** How long content can be sent to an address. Units: milliseconds */
const CONTENT_LIFE = 60 * 60 * 1000;

/** Routes that take the content of an upload's files: one gives the address of a file, the other is that address. */
export function contentRoutes(context: ServerContext): Pick<Handlers, 'presign' | 'put'> {
  const { storage, documents, signer, projects, receiving, baseOf, maxUploads } = context;
  const locks = createKnownLocks(documents, projects);

  /** Whether the session that a ticket was issued in is still in progress. */
  async function isCurrent({ ticket, isGenuine }: ReceivedTicket, sessionHash?: string): Promise<string | undefined> {
    const lock = (await locks.lock(ticket.project))?.value;
    if (lock === undefined || (sessionHash !== undefined && !isSession(lock, sessionHash))) return undefined;
    return isGenuine('content', lock.session_hash) ? lock.session_hash : undefined;
  }

  return {
    async presign(request, { slug }) {
      const token = sessionToken(request);
      const received = signer.parse(slug);
      if (received === undefined) throw refuse('The address is not one that was given out at the start of an upload.');
      const { ticket, isGenuine } = received;
      const { session_hash } = (await requireSession(locks, token, ticket)).value;
      if (!isGenuine('slug', session_hash)) throw refuse('The address was not given out in this upload session.', 403);
      const content = signer.sign({ ...ticket, expires: Date.now() + CONTENT_LIFE }, 'content', session_hash);
      return json({
        url: `${baseOf(request)}/upload/content/${content}`,
        md5sum_base64: contentMd5(ticket),
      });
    },

    async put(request, { ticket: text }) {
      const received = signer.parse(text);
      const session = received && (await isCurrent(received));
      if (received === undefined || session === undefined) return s3Failure(403, 'AccessDenied', 'Access Denied');
      const { ticket } = received;
      if ((ticket.expires ?? 0) < Date.now()) return s3Failure(403, 'AccessDenied', 'Request has expired');
      if (request.headers.get('content-md5') !== contentMd5(ticket)) {
        return s3Failure(403, 'SignatureDoesNotMatch', WRONG_SIGNATURE);
      }
      if (request.headers.has('transfer-encoding')) {
        return s3Failure(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
      }
      const length = request.headers.get('content-length');
      if (length !== null && Number(length) !== ticket.size) return s3Failure(400, 'BadDigest', BAD_DIGEST);
      if (receiving.total >= maxUploads) {
        return s3Failure(503, 'SlowDown', 'Please reduce your request rate.', { 'retry-after': '1' });
      }
      return receiving.during(ticket.project, () => receive(request, received, session));
    },
  };

  async function receive(request: Request, received: ReceivedTicket, session: string): Promise<Response> {
    const { ticket } = received;
    const digest = parseMd5(ticket.md5sum);
    if (digest === undefined) throw new Error('A ticket was signed without an MD5.');
    const contentType = request.headers.get('content-type');
    const body = await bodyOf(request, ticket.size);
    const expected = { digest, size: ticket.size };
    const options = contentType === null ? {} : { contentType };
    const staged = await storage.stage(body, expected, formatFileRef(ticket), options).catch((error: unknown) => {
      if (isGypsumError(error, 'wrong-content')) return undefined;
      throw error;
    });
    if (staged === undefined) return s3Failure(400, 'BadDigest', BAD_DIGEST);
    try {
      // Completing and aborting wait for this, or this finds the session ended: nothing appears behind their backs.
      return await projects.share(ticket.project, async () => {
        if ((await isCurrent(received, session)) === undefined) return s3Failure(403, 'AccessDenied', 'Access Denied');
        await staged.publish(keys.file(ticket));
        return new Response(null, { headers: { etag: `"${digest.hex}"`, 'content-length': '0' } });
      });
    } finally {
      await staged.discard();
    }
  }
}

/** Gives a small body whole, where its length is announced: a stream of it takes several times as long. */
async function bodyOf(request: Request, size: number): Promise<Readable | Uint8Array> {
  if (size < SMALL && request.headers.has('content-length')) return new Uint8Array(await request.arrayBuffer());
  return request.body === null ? Readable.from([]) : Readable.fromWeb(request.body as NodeReadableStream);
}

function contentMd5({ md5sum }: Ticket): string {
  const digest = parseMd5(md5sum);
  return digest === undefined ? '' : digestToBase64(digest);
}

/** Presigned addresses fail the way that an object store does, since with the public registry they are one's. */
function s3Failure(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const xml = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  return new Response(xml, { status, headers: { ...headers, 'content-type': 'application/xml' } });
}
