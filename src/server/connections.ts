import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The connections of a server, by whether anything is being answered on them. */
export interface Connections {
  /** How many requests are being answered. */
  inProgress(): number;
  /** Takes no more of them, lets what is being answered end, and drops what does not in time. Units: milliseconds */
  close(grace: number): Promise<void>;
}

/**
 * Node takes a connection for busy that has been opened and not used yet, such as browsers and balancers keep ready: one
 * alone would hold a server that closes.
 */
export function trackConnections(server: Server): Connections {
  const answering = new Map<Socket, number>();
  let isClosing = false;
  const add = (socket: Socket, change: number) => {
    const count = (answering.get(socket) ?? 0) + change;
    if (!socket.destroyed) answering.set(socket, count);
    if (isClosing && count === 0) socket.destroySoon();
  };
  server.on('connection', (socket: Socket) => {
    answering.set(socket, 0);
    socket.once('close', () => answering.delete(socket));
  });
  server.on('request', ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    add(socket, 1);
    outgoing.once('close', () => add(socket, -1));
  });
  return {
    inProgress: () => [...answering.values()].reduce((sum, count) => sum + count, 0),
    async close(grace) {
      isClosing = true;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const [socket, count] of answering) if (count === 0) socket.destroySoon();
      const timer = setTimeout(() => server.closeAllConnections(), grace);
      await closed;
      clearTimeout(timer);
    },
  };
}
