import { setTimeout } from 'node:timers/promises';

/**
 * Stands in front of a registry: answers in its place, or changes what it answers, or what it is asked: `next` asks it,
 * for another request if one is given.
 */
export type Fault = (request: Request, next: (other?: Request) => Promise<Response>) => Promise<Response>;

/** Answers with this status and does not ask the registry. */
export function status(code: number, headers: Readonly<Record<string, string>> = {}): Fault {
  return async () =>
    new Response(JSON.stringify({ status: 'error', reason: `a fault that answers ${code}` }), {
      status: code,
      headers: { 'content-type': 'application/json', ...headers },
    });
}

/** Answers later. Units: milliseconds */
export function delay(milliseconds: number): Fault {
  return async (request, next) => {
    await setTimeout(milliseconds, undefined, { signal: request.signal });
    return next();
  };
}

/** Ends the connection without an answer: a network error. */
export function disconnected(): Fault {
  return async () => Response.error();
}

/**
 * Sends the headers of the whole, and of the body so much, but never all; then the connection breaks off. Who has got all
 * would send the next request into a connection that ends, and nobody would know of that one.
 *
 * Units: bytes
 */
export function cutOff(after: 'half' | number): Fault {
  return changed(async (body, headers) => {
    const content = await readAll(body);
    const { byteLength } = content;
    const sent = content.subarray(0, after === 'half' ? Math.floor(byteLength / 2) : Math.min(after, byteLength - 1));
    headers.set('content-length', String(content.byteLength));
    return broken(sent);
  });
}

/** Sends other content in place of the right one, with headers that fit it. */
export function bytes(content: string | Uint8Array): Fault {
  return changed(async (body, headers) => {
    await body.cancel();
    const other = Buffer.from(content);
    headers.set('content-length', String(other.byteLength));
    return other;
  });
}

/** Sends the content with one bit of its first byte flipped; all else is as it should be. */
export function flipped(): Fault {
  return changed(async (body) => {
    const content = Buffer.from(await readAll(body));
    content.writeUInt8(content.readUInt8(0) ^ 1, 0);
    return content;
  });
}

/** Says a `Content-Length` that is off by so much. Units: bytes */
export function wrongLength(delta: number): Fault {
  return changed(async (body, headers) => {
    const content = await readAll(body);
    headers.set('content-length', String(content.byteLength + delta));
    return content;
  });
}

/** Puts faults in front of each other; the first is the outermost. */
export function inFront(
  faults: readonly Fault[],
  request: Request,
  next: (request: Request) => Promise<Response>,
): Promise<Response> {
  const [first, ...rest] = faults;
  return first === undefined ? next(request) : first(request, (other = request) => inFront(rest, other, next));
}

type Change = (body: ReadableStream<Uint8Array>, headers: Headers) => Promise<Content>;

type Content = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

/** Changes what the registry sends; an answer that has no content stays as it is. */
function changed(change: Change): Fault {
  return async (_request, next) => {
    const response = await next();
    if (response.body === null || response.headers.get('content-length') === '0') return response;
    const headers = new Headers(response.headers);
    const body = await change(response.body, headers);
    return new Response(body, { status: response.status, headers });
  };
}

function broken(sent: Uint8Array): ReadableStream<Uint8Array> {
  let isSent = false;
  return new ReadableStream({
    pull(controller) {
      if (!isSent && sent.byteLength > 0) controller.enqueue(sent);
      else controller.error(new TypeError('the body breaks off'));
      isSent = true;
    },
  });
}

async function readAll(body: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(body).arrayBuffer());
}
