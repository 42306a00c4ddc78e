import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GypsumError, isSystemError } from '../errors.ts';

/** Has a server take a port, and gives that; throws `in-use` or `invalid-argument` if it cannot. */
export async function bind(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  }).catch((cause: unknown) => {
    const details = { port, host };
    if (isSystemError(cause, 'EADDRINUSE')) {
      throw new GypsumError('in-use', `The port ${port} of ${host} is taken by another process.`, {
        hint: 'Choose another port, or 0 for any that is free.',
        details,
        cause,
      });
    }
    if (isSystemError(cause, 'ENOTFOUND', 'EAI_AGAIN', 'EADDRNOTAVAIL', 'EINVAL')) {
      throw new GypsumError('invalid-argument', `This machine has no address ${host} to listen on.`, {
        hint: 'It is 127.0.0.1 for this machine alone, an address of it, or 0.0.0.0 for all of them.',
        details,
        cause,
      });
    }
    if (!isSystemError(cause, 'EACCES')) throw cause;
    throw new GypsumError('invalid-argument', `The port ${port} may not be taken by this user.`, {
      hint: 'Choose one from 1024 on, and put a proxy in front of it.',
      details,
      cause,
    });
  });
  return (server.address() as AddressInfo).port;
}
