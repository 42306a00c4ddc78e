import type { Dispatcher } from 'undici';
import { GypsumError } from '../errors.ts';
import { parseJsonIfAny } from '../model/json.ts';

export type Body = Dispatcher.ResponseData['body'];

export type AnswerHeaders = Dispatcher.ResponseData['headers'];

/** Gives when an answer was sent by the clock of whoever sent it; nothing if it does not say so. */
export function dateOf(headers: AnswerHeaders): Date | undefined {
  const date = new Date(String(headers.date));
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Units: bytes. More is not read of an answer that says what went wrong. */
const MAX_REASON = 64 * 1024;

/** Reads a body of at most `limit` bytes, or throws `invalid-response`. */
export async function readAll(body: Body, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) {
      throw new GypsumError('invalid-response', `${what} failed: the answer is longer than ${limit} bytes.`, {
        hint: 'Check that the URL is the one of a gypsum registry.',
        details: { limit },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Reads the reason of an error answer; nothing if there is none, or more than anybody wants to know. */
export async function readReason(body: Body): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_REASON) return undefined;
  }
  return reasonOf(Buffer.concat(chunks).toString('utf8'));
}

/** Gives the reason of an error answer; nothing if the text is not one. */
export function reasonOf(text: string): string | undefined {
  // Proxies and other servers answer with HTML or nothing.
  const value = parseJsonIfAny(text);
  if (typeof value !== 'object' || value === null || !('status' in value) || value.status !== 'error') return undefined;
  return 'reason' in value && typeof value.reason === 'string' ? value.reason : 'no reason given';
}
