import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Loopback {
  readonly url: string;
  readonly requests: Received[];
}

/** Answers one request; `attempt` counts from 1. */
export type Answer = (response: ServerResponse, attempt: number, request: IncomingMessage) => void;

/** Serves answers on a loopback port until the test has ended, and keeps what it was asked. */
export async function serve(answer: Answer): Promise<Loopback> {
  const requests: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      answer(response, requests.length, request);
    });
  });
  onTestFinished(() => server.closeAllConnections());
  return { url: await listen(server), requests };
}

/** Sends this text to whoever connects and asks for something, and closes the connection. */
export async function serveText(text: string): Promise<Loopback> {
  const requests: Received[] = [];
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      requests.push({ method: '', url: '', headers: {}, body: '' });
      socket.end(text);
    });
  });
  return { url: await listen(server), requests };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers with JSON. */
export function json(value: unknown, status = 200): Answer {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}
