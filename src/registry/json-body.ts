import { Readable } from 'node:stream';
import { jsonText } from '../model/json-text.ts';
import type { Exchange } from './http.ts';

/**
 * Gives what sends a document as JSON. A large one goes out in pieces, with its length, and is never in memory as a whole: of a
 * version of 100,000 links that is 15 MiB, which stood there as text, as bytes, and as bytes that wait for the socket.
 */
export function jsonBody(document: unknown): Pick<Exchange, 'headers' | 'body'> {
  const type = { 'content-type': 'application/json' };
  let [first, pieces, length] = ['', 0, 0];
  for (const piece of jsonText(document)) {
    if (pieces === 0) first = piece;
    pieces++;
    length += Buffer.byteLength(piece);
  }
  if (pieces === 1) return { headers: type, body: () => first };
  return { headers: { ...type, 'content-length': String(length) }, body: () => Readable.from(bytesOf(document)) };
}

function* bytesOf(document: unknown): Generator<Buffer> {
  for (const piece of jsonText(document)) yield Buffer.from(piece);
}
