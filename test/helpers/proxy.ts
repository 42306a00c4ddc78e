import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ProxyStandIn {
  readonly url: string;
  /** What it was asked for: `CONNECT host:port`, or a method and a whole URL. */
  readonly asked: string[];
  /** The credentials of each, if any. */
  readonly credentials: (string | undefined)[];
  /** What it answers in place of doing anything. */
  refuseWith: number | undefined;
}

/** A proxy on a loopback port; whatever name it is asked for, it goes to that port of this machine. */
export async function startProxy(): Promise<ProxyStandIn> {
  const hear = ({ headers }: IncomingMessage, what: string) => {
    proxy.asked.push(what);
    proxy.credentials.push(headers['proxy-authorization']);
  };
  const server = createServer((incoming, response) => {
    hear(incoming, `${incoming.method} ${incoming.url}`);
    if (proxy.refuseWith !== undefined) {
      response.writeHead(proxy.refuseWith).end();
      return;
    }
    const { port, pathname, search } = new URL(incoming.url ?? '');
    const { method = '', headers } = incoming;
    const outgoing = request({ host: '127.0.0.1', port, method, path: pathname + search, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    incoming.pipe(outgoing);
  });
  server.on('connect', (incoming, socket) => {
    hear(incoming, `CONNECT ${incoming.url}`);
    socket.on('error', () => {});
    if (proxy.refuseWith !== undefined) {
      socket.end(`HTTP/1.1 ${proxy.refuseWith} No\r\n\r\n`);
      return;
    }
    const through = connect(Number(incoming.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      through.pipe(socket).pipe(through);
    });
    through.on('error', () => socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const proxy: ProxyStandIn = { url, asked: [], credentials: [], refuseWith: undefined };
  return proxy;
}
