import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { bind } from './bind.ts';
import { trackConnections } from './connections.ts';
import { readForwarded } from './forwarded.ts';
import { failure, refuse, targetFault } from './http.ts';
import { setFacts } from './request-facts.ts';
import { send } from './send.ts';

export type Fetch = (request: Request) => Promise<Response>;

/** A request that has been answered, or whose connection has ended. */
export interface Exchange {
  /** Nothing where what was sent was no request. */
  readonly request?: Request;
  readonly id: string;
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly remote?: string;
  readonly started: Date;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Of the body, as it was announced. Units: bytes */
  readonly received: number;
  /** Of the body. Units: bytes */
  readonly sent: number;
  /** Units: milliseconds */
  readonly duration: number;
  readonly aborted: boolean;
}

export interface Limits {
  /** Of all headers of a request. Units: bytes */
  readonly headerSize: number;
  /** How long the headers of a request may take. Units: milliseconds */
  readonly headers: number;
  /** How long a connection may be silent. Units: milliseconds */
  readonly idle: number;
  /**
   * How long a request with its answer may take, beside the time that its bytes take at `rate`: a large file may take
   * any time as long as it goes on. Units: milliseconds
   */
  readonly total: number;
  /** Units: bytes per second */
  readonly rate: number;
  /** How long the rest of a body is listened to that nobody wants any more. Units: milliseconds */
  readonly linger: number;
}

const LIMITS: Limits = {
  headerSize: 16 * 1024,
  headers: 30_000,
  idle: 120_000,
  total: 10 * 60_000,
  rate: 4096,
  linger: 5000,
};

export interface ListenOptions {
  /** 0 takes any that is free. @default 0 */
  port?: number;
  /** @default '127.0.0.1' */
  host?: string;
  /** How long requests that are being answered may go on after `close`. Units: milliseconds @default 5000 */
  grace?: number;
  /** @default 16 KiB of headers in 30 s, 2 min of silence, 10 min and a second for each 4 KiB, 5 s of lingering */
  limits?: Partial<Limits>;
  /** Believes what the headers of a proxy say of who sends requests, and under which id. @default false */
  trustProxy?: boolean;
  /** Hears of every exchange when it has ended. */
  onExchange?: (exchange: Exchange) => void;
}

export interface Listener {
  /** Without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** How many requests are being answered. */
  inProgress(): number;
  /** Takes no more requests, lets those that are being answered end, and drops those that do not in time. */
  close(): Promise<void>;
}

/**
 * Gives a port to a function of a request; throws `in-use` if another process has it, `invalid-argument` if this machine
 * has no such address, or no leave to take the port.
 */
export async function listen(
  fetch: Fetch,
  { port = 0, host = '127.0.0.1', grace = 5000, trustProxy = false, onExchange, ...options }: ListenOptions = {},
): Promise<Listener> {
  const limits = { ...LIMITS, ...options.limits };
  let isClosing = false;
  const taken = new WeakSet<IncomingMessage>();

  const answer = getRequestListener(
    async (request, bindings) => {
      const { incoming, outgoing } = bindings as HttpBindings & { outgoing: ServerResponse };
      const { socket } = outgoing;
      taken.add(incoming);
      const forwarded = trustProxy ? readForwarded(request.headers) : {};
      const id = forwarded.id ?? randomUUID();
      const remote = forwarded.remote ?? socket?.remoteAddress;
      setFacts(request, { id, ...(remote !== undefined && { remote }) });
      const started = new Date();
      const begun = performance.now();
      const received = Number(request.headers.get('content-length') ?? 0) || 0;
      const deadline = createDeadline(limits, () => outgoing.destroy());
      let sent = 0;
      let promised = Number.NaN;
      let isWhole = false;
      deadline.allow(received);
      const tell = onlyOnce(() =>
        onExchange?.({
          request,
          id,
          method: request.method,
          target: incoming.url ?? '',
          ...(remote !== undefined && { remote }),
          started,
          status: outgoing.headersSent ? outgoing.statusCode : 0,
          received,
          sent,
          duration: performance.now() - begun,
          // Whoever has all of it may hang up before we hear that it was sent.
          aborted: !(isWhole || sent === promised) || outgoing.writableLength > 0,
        }),
      );
      outgoing.once('finish', tell);
      outgoing.once('close', () => {
        deadline.end();
        tell();
      });
      try {
        const fault = targetFault(incoming.url ?? '');
        const response = fault === undefined ? await fetch(request) : failure(refuse(`The address ${fault}.`));
        promised = Number(response.headers.get('content-length') ?? Number.NaN);
        deadline.allow(promised || 0);
        const headers: string[] = ['x-request-id', id];
        if (isClosing) headers.push('connection', 'close');
        await send(response, request.method, outgoing, headers, {
          onBytes: (bytes) => {
            sent += bytes;
          },
          onEnd: () => {
            isWhole = true;
          },
        });
        if (!incoming.complete) dropAfter(incoming, outgoing, limits.linger);
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
  const server = createServer(
    { requestTimeout: 0, headersTimeout: limits.headers, maxHeaderSize: limits.headerSize },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      const { method = '-', url: target = '-', socket } = incoming;
      const { remoteAddress: remote } = socket;
      const begun = performance.now();
      // A host or a target that no URL can have is refused before there is a request.
      outgoing.once('close', () => {
        if (taken.has(incoming)) return;
        const duration = performance.now() - begun;
        const status = outgoing.headersSent ? outgoing.statusCode : 0;
        onExchange?.(refusal(status, { method, target, duration, ...(remote !== undefined && { remote }) }));
      });
      void answer(incoming, outgoing);
    },
  );
  const connections = trackConnections(server);
  server.on('clientError', (error, socket) => {
    const status = refuseMalformed(error, socket);
    // A connection that breaks between two requests is nobody's.
    if (status === 0) return;
    onExchange?.(refusal(status));
  });
  server.setTimeout(limits.idle);
  const bound = await bind(server, port, host);
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    inProgress: connections.inProgress,
    close: () => {
      isClosing = true;
      return connections.close(grace);
    },
  };
}

/** Ends what takes longer than it may; every byte that is expected gives it some more time. */
function createDeadline({ total, rate }: Limits, expire: () => void) {
  const begun = performance.now();
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;
  return {
    allow(more: number) {
      bytes += Math.min(more, Number.MAX_SAFE_INTEGER);
      clearTimeout(timer);
      const left = total + (bytes / rate) * 1000 - (performance.now() - begun);
      // What is longer than a timer can be set for, 24 days, has no end.
      if (left < 2 ** 31) timer = setTimeout(expire, left).unref();
    },
    end: () => clearTimeout(timer),
  };
}

/** A body that was refused is still being sent: its client reads the answer first, and then stops, or is stopped. */
function dropAfter(incoming: IncomingMessage, outgoing: ServerResponse, linger: number): void {
  const { socket } = incoming;
  incoming.resume();
  const timer = setTimeout(() => socket.destroy(), linger).unref();
  incoming.once('close', () => clearTimeout(timer));
  outgoing.once('close', () => {
    if (incoming.complete) clearTimeout(timer);
  });
}

/** Answers what is no request, if the connection can still be written to; gives the status, or 0. */
function refuseMalformed(error: Error & { code?: string }, socket: Duplex): number {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return 0;
  }
  const [status, text, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ([431, 'Request Header Fields Too Large', 'The headers are too large.'] as const)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ([408, 'Request Timeout', 'The request took too long.'] as const)
        : ([400, 'Bad Request', 'The request is malformed.'] as const);
  const body = JSON.stringify({ status: 'error', reason });
  socket.end(
    `HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  return status;
}

/** What there is to tell of something that was answered and is no request. */
function refusal(status: number, { duration = 0, ...known }: Partial<Exchange> = {}): Exchange {
  const started = new Date(Date.now() - duration);
  const exchange = { id: randomUUID(), method: '-', target: '-', started, status, received: 0, sent: 0, duration };
  return { ...exchange, aborted: status === 0, ...known };
}

function onlyOnce(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    work();
  };
}
