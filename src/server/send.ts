import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';

interface Sending {
  onBytes(bytes: number): void;
  /** All has been handed over. */
  onEnd(): void;
}

/**
 * Writes a response as it is, with a few headers more; a body that breaks off or is not as long as its
 * `Content-Length` says ends the connection, so that nobody takes it for whole. `Response.error()` is a connection
 * that ends without an answer.
 */
export async function send(
  response: Response,
  method: string,
  outgoing: ServerResponse,
  more: readonly string[],
  { onBytes, onEnd }: Sending,
): Promise<void> {
  if (response.type === 'error') {
    outgoing.destroy();
    return;
  }
  const { socket } = outgoing;
  const promised = response.headers.get('content-length');
  const headers = [...[...response.headers].flat(), ...more];
  if (response.body === null || method === 'HEAD') {
    await response.body?.cancel();
    const isBare = promised === null && method !== 'HEAD' && response.status !== 304;
    outgoing.writeHead(response.status, isBare ? [...headers, 'content-length', '0'] : headers);
    onEnd();
    outgoing.end();
    return;
  }
  outgoing.writeHead(response.status, headers);
  const sent = await write(response.body as NodeReadableStream<Uint8Array>, outgoing, onBytes);
  if (promised === null || Number(promised) === sent) onEnd();
  outgoing.end();
  if (promised !== null && Number(promised) !== sent) socket?.destroySoon();
}

/** Writes a body as fast as it is taken; gives how many bytes it had. */
async function write(
  body: NodeReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  onBytes: (bytes: number) => void,
): Promise<number> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  let sent = 0;
  for await (const chunk of body) {
    sent += chunk.byteLength;
    onBytes(chunk.byteLength);
    if (!outgoing.write(chunk)) await once(outgoing, 'drain', { signal: gone.signal });
  }
  return sent;
}
