import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { GypsumError, isSystemError } from '../errors.ts';
import { failure, refuse } from './http.ts';

export interface ListenOptions {
  /** 0 takes any that is free. @default 0 */
  port?: number;
  /** @default '127.0.0.1' */
  host?: string;
  /** How long requests that are being answered may go on after `close`. Units: milliseconds @default 5000 */
  grace?: number;
}

export interface Listener {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Takes no more requests, lets those that are being answered end, and drops those that do not in time. */
  close(): Promise<void>;
}

/**
 * How long a connection may be silent.
 *
 * Units: milliseconds
 */
const IDLE = 120_000;

/** Gives a port to a function of a request; throws `in-use` if another process has it. */
export async function listen(
  fetch: (request: Request) => Promise<Response>,
  { port = 0, host = '127.0.0.1', grace = 5000 }: ListenOptions = {},
): Promise<Listener> {
  const answer = getRequestListener(
    async (request, bindings) => {
      const { outgoing } = bindings as HttpBindings;
      const { socket } = outgoing;
      try {
        await send(await fetch(request), request.method, outgoing);
      } catch {
        // The client went away, or the content broke off. What is there of it still goes out, and then the end of the
        // connection tells that there is no more.
        if (outgoing.headersSent) outgoing.flushHeaders();
        socket?.destroySoon();
      }
      return new Response(null, { headers: { 'x-hono-already-sent': 'true' } });
    },
    { overrideGlobalObjects: false, errorHandler: () => failure(refuse('The request is malformed.')) },
  );
  // A large upload may take any time, as long as it goes on.
  const server = createServer({ requestTimeout: 0 }, (incoming: IncomingMessage, outgoing: ServerResponse) => {
    void answer(incoming, outgoing);
  });
  server.setTimeout(IDLE);
  const bound = await bind(server, port, host);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    close: () => closeServer(server, grace),
  };
}

/**
 * Writes a response as it is: no header is added to it, and a body that breaks off or is not as long as its
 * `Content-Length` says ends the connection, so that nobody takes it for whole. `Response.error()` is a connection
 * that ends without an answer.
 */
async function send(response: Response, method: string, outgoing: ServerResponse): Promise<void> {
  if (response.type === 'error') {
    outgoing.destroy();
    return;
  }
  const { socket } = outgoing;
  const promised = response.headers.get('content-length');
  const headers = [...response.headers].flat();
  if (response.body === null || method === 'HEAD') {
    await response.body?.cancel();
    const isBare = promised === null && method !== 'HEAD' && response.status !== 304;
    outgoing.writeHead(response.status, isBare ? [...headers, 'content-length', '0'] : headers);
    outgoing.end();
    return;
  }
  outgoing.writeHead(response.status, headers);
  const sent = await write(response.body as NodeReadableStream<Uint8Array>, outgoing);
  outgoing.end();
  if (promised !== null && Number(promised) !== sent) socket?.destroySoon();
}

/** Writes a body as fast as it is taken; gives how many bytes it had. */
async function write(body: NodeReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<number> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  let sent = 0;
  for await (const chunk of body) {
    sent += chunk.byteLength;
    if (!outgoing.write(chunk)) await once(outgoing, 'drain', { signal: gone.signal });
  }
  return sent;
}

async function bind(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause: unknown) => {
    if (!isSystemError(cause, 'EADDRINUSE')) throw cause;
    throw new GypsumError('in-use', `The port ${port} of ${host} is taken by another process.`, {
      hint: 'Choose another port, or 0 for any that is free.',
      details: { port, host },
      cause,
    });
  });
  return (server.address() as AddressInfo).port;
}

async function closeServer(server: Server, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), grace);
  await closed;
  clearTimeout(timer);
}
