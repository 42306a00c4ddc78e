import { GypsumError } from '../errors.ts';
import type { Digest } from '../model/digest.ts';
import type { AnswerHeaders } from './answers.ts';

/** The rest of an object of which the beginning is there. Units: bytes */
export interface Rest {
  readonly start: number;
  readonly size: number;
  /** Registries tag objects by it: if another one stands there now, the whole of that one comes. */
  readonly digest: Digest;
}

/** Gives the headers that ask for a rest alone. */
export function restHeaders({ start, digest }: Rest): Record<string, string> {
  return { range: `bytes=${start}-`, 'if-range': `"${digest.hex}"` };
}

/**
 * Says at which byte an answer begins; throws `invalid-response` for a part that was not asked for, which fits to nothing.
 *
 * Source: RFC 9110, 14.4 and 15.3.7
 */
export function startOf(status: number, headers: AnswerHeaders, asked: Rest | undefined, what: string): number {
  if (status !== 206) return 0;
  const sent = headers['content-range'];
  if (asked !== undefined && sent === `bytes ${asked.start}-${asked.size - 1}/${asked.size}`) return asked.start;
  throw new GypsumError('invalid-response', `${what} failed: the registry sent another part than was asked for.`, {
    hint: 'Tell the people who run the registry.',
    details: { asked: asked?.start, sent },
  });
}
