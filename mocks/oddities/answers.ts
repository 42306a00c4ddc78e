import { createHash } from 'node:crypto';
import { status } from '../faults.ts';

/** Gives the document of an answer, of the form that the registry gives it; the answer can still be read. */
export async function readDocument<T>(answer: Response): Promise<T> {
  return (await answer.clone().json()) as T;
}

/** Gives the reason of an answer that is an error, if it is of the registry's form; the answer can still be read. */
export async function reasonOf(answer: Response): Promise<string> {
  if (answer.headers.get('content-type') !== 'application/json') return '';
  return (await readDocument<{ reason?: string }>(answer)).reason ?? '';
}

/** The same answer with another document. */
export function withDocument(answer: Response, document: unknown): Response {
  return withText(answer, JSON.stringify(document));
}

/** The same answer with another text, and what its headers say of it. */
export function withText(answer: Response, text: string): Response {
  const body = new Uint8Array(Buffer.from(text));
  const headers = new Headers(answer.headers);
  headers.set('content-length', String(body.byteLength));
  if (headers.has('etag')) headers.set('etag', `"${createHash('md5').update(body).digest('hex')}"`);
  return new Response(body, { status: answer.status, headers });
}

/** The same answer of a registry that does not say that it can do this. */
export function withoutFeature(answer: Response, feature: string): Response {
  const said = answer.headers.get('gypsum-features');
  if (said === null) return answer;
  const headers = new Headers(answer.headers);
  headers.set(
    'gypsum-features',
    said
      .split(', ')
      .filter((name) => name !== feature)
      .join(', '),
  );
  return new Response(answer.body, { status: answer.status, headers });
}

/** The same request to another path of its origin, without its body. */
export function toPath(request: Request, path: string): Request {
  const { method, signal } = request;
  return new Request(new URL(path, request.url), { method, headers: request.headers, signal });
}

/** A request to where the registry has nothing: it says so in its own words. */
export function toNothing(request: Request): Request {
  return toPath(request, '/no-such-endpoint');
}

/** A failure of the registry's own. */
export const failed = status(500, { 'access-control-allow-origin': '*' });
