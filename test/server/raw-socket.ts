import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  /** 0 where there was none. */
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends bytes over a connection of their own exactly as they are, and gives what came until its end. */
export function sendRaw(
  port: number,
  request: string | Uint8Array,
  /** Goes on when the request is sent; without it, the end of the answer is waited for. */
  then: (socket: Socket) => void = () => {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(request, () => then(socket));
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    // A reset is an end like any other: what came before it counts.
    socket.on('error', () => {});
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString())));
  });
}

/** Writes a request, whose target is not looked at, for `sendRaw`; the connection ends with the answer. */
export function rawRequest(
  method: string,
  target: string,
  {
    token,
    body,
    headers = {},
  }: { token?: string; body?: string | Uint8Array; headers?: Readonly<Record<string, string>> } = {},
): Buffer {
  const content = typeof body === 'object' ? body : Buffer.from(body ?? '');
  const lines = Object.entries({
    host: 'localhost',
    connection: 'close',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(method === 'GET' ? {} : { 'content-length': String(content.length) }),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`), content]);
}

function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
    headers: text.slice(0, Math.max(0, end)),
    body: end === -1 ? '' : text.slice(end + 4),
  };
}
