import type { z } from 'zod';
import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';
import { type Body, readAll, reasonOf } from './answers.ts';

/** Units: bytes. A million keys of 200 bytes fit. */
export const MAX_DOCUMENT = 384 * 1024 * 1024;

/** Reads a body that is to be a document, or throws like `parseDocument`. */
export async function readDocument<T>(body: Body, answer: z.ZodType<T>, what: string): Promise<T> {
  return parseDocument((await readAll(body, MAX_DOCUMENT, what)).toString('utf8'), answer, what);
}

/** Reads a document that a registry sent, or throws `invalid-response`, or `refused` if it is an error. */
export function parseDocument<T>(text: string, answer: z.ZodType<T>, what: string): T {
  refuseError(text, what);
  const value = parseJson(text, what);
  const parsed = answer.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw notGypsum(what, `"${issue?.path.join('.')}" is not as expected (${issue?.message})`);
}

/** Reads JSON that a registry sent, or throws `invalid-response`. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notJson(text, what, error);
  }
}

/** Says that what a registry sent is no JSON. */
export function notJson(text: string, what: string, error: unknown): GypsumError {
  return notGypsum(what, `"${showText(text.slice(0, 60))}…" is not JSON`, error);
}

/**
 * Throws `refused` if a text says that the request failed: the public registry answers some requests with status 200 and
 * an error in the body.
 */
export function refuseError(text: string, what: string): void {
  const reason = /^\s*\{/.test(text) && text.length < 64 * 1024 ? reasonOf(text) : undefined;
  if (reason === undefined) return;
  throw new GypsumError('refused', `${what} failed: the registry says: ${showText(reason).replace(/\.$/, '')}.`, {
    hint: 'Change the request as the registry says.',
    details: { reason },
  });
}

function notGypsum(what: string, why: string, cause?: unknown): GypsumError {
  return new GypsumError('invalid-response', `${what} failed: the answer ${why}.`, {
    hint: 'Check that the URL is the one of a gypsum registry.',
    cause,
  });
}
