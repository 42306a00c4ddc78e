import { Readable } from 'node:stream';
import { type ErrorCode, GypsumError, isGypsumError, isSystemError } from '../errors.ts';

/** The HTTP status of what can go wrong. A refusal may name its own in `details.status`. */
const STATUS: Readonly<Record<ErrorCode, number>> = {
  'invalid-argument': 400,
  'invalid-tree': 400,
  'invalid-response': 500,
  'invalid-manifest': 500,
  'not-found': 404,
  'version-unfinished': 400,
  'version-exists': 400,
  unauthorized: 401,
  forbidden: 403,
  'project-locked': 403,
  refused: 400,
  unavailable: 503,
  'wrong-content': 400,
  'file-changed': 500,
  'cache-mismatch': 500,
  'destination-refused': 500,
  'in-use': 503,
  'no-space': 507,
};

const ANYBODY = { 'access-control-allow-origin': '*' };

/** Success that has nothing to say. */
export function empty(): Response {
  return new Response(null, { status: 200 });
}

/** Success with data; `open` is said where any web page may read the answer. */
export function json(value: unknown, { open = false } = {}): Response {
  return jsonResponse(value, 200, open ? ANYBODY : {});
}

export function redirect(location: string): Response {
  return new Response(null, { status: 301, headers: { ...ANYBODY, location } });
}

/** The answer to a failed request. */
export function failure(error: unknown): Response {
  const { status, reason } = refusalOf(error);
  return jsonResponse({ status: 'error', reason }, status, ANYBODY);
}

/** Says what a failure is told as. What is not a GypsumError is our own failure, and says nothing of its causes. */
export function refusalOf(error: unknown): { status: number; reason: string } {
  if (isSystemError(error, 'ENOSPC', 'EDQUOT')) return { status: 507, reason: 'The disk of the registry is full.' };
  if (!isGypsumError(error)) return { status: 500, reason: 'The registry failed to answer this request.' };
  const { status } = error.details;
  return { status: typeof status === 'number' ? status : STATUS[error.code], reason: error.message };
}

/** Whether a failure of this status is the registry's own, and no client's. */
export function isOwnFailure(status: number): boolean {
  return status >= 500;
}

/** A request that is refused as it stands. */
export function refuse(reason: string, status = 400): GypsumError {
  return new GypsumError('refused', reason, { details: { status } });
}

/** Gives the token of a request; throws `unauthorized` without one. */
export function bearerToken(request: Request): string {
  const header = request.headers.get('authorization');
  if (header?.startsWith('Bearer ') && header.length > 7) return header.slice(7);
  throw new GypsumError('unauthorized', 'This request needs a token: "Authorization: Bearer TOKEN".');
}

/**
 * The path of a request as it was sent, still percent-encoded, without trailing slashes. Routes are matched on it, since
 * an encoded slash is part of a name.
 */
export function rawPath(request: Request): string {
  const path = request.url.slice(pathStart(request.url)).replace(/[?#].*$/s, '');
  return path.replace(/\/+$/, '') || '/';
}

/** The path and query of a request as they were sent. */
export function rawTarget(request: Request): string {
  return request.url.slice(pathStart(request.url)).replace(/#.*$/s, '');
}

/**
 * Says what makes the target of a request, as it was sent, lead elsewhere than it says, as the end of a sentence.
 *
 * `/remove/p/a/..` becomes `/remove/p` where URLs are put in order, and `/remove/p/a#1` becomes `/remove/p/a`: neither is
 * what anybody wants removed.
 */
export function targetFault(target: string): string | undefined {
  if (target.includes('#')) return 'holds a "#"';
  const path = target.replace(/\?.*$/s, '');
  return /\/(?:\.|%2e){1,2}(?=\/|$)/i.test(path) ? 'has a component "." or ".."' : undefined;
}

/** The base that a request was sent to, such as `http://127.0.0.1:8080`. */
export function requestBase(request: Request): string {
  return request.url.slice(0, pathStart(request.url));
}

function jsonResponse(value: unknown, status: number, headers: Record<string, string>): Response {
  const body = Buffer.from(JSON.stringify(value));
  return new Response(body, {
    status,
    headers: { 'content-type': 'application/json', 'content-length': String(body.length), ...headers },
  });
}

function pathStart(url: string): number {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  return start === -1 ? url.length : start;
}

/** A stream as the body of a response. */
export function webStream(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}
