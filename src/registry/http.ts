import type { Readable } from 'node:stream';
import pRetry from 'p-retry';
import { Agent, type Dispatcher } from 'undici';
import { GypsumError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { answerFailure, asFailure, isPassing } from './failures.ts';

export interface HttpOptions {
  /** How often a failed request is tried again. @default 4 */
  retries?: number | undefined;
  /** The wait before the first retry; it doubles each time. Units: milliseconds @default 250 */
  retryDelay?: number | undefined;
  /** How long the registry may keep silent. Units: milliseconds @default 60000 */
  timeout?: number | undefined;
}

/** Hears of every answer before anything is made of it; what it throws is how the request ends. */
export type OnAnswer = (url: URL, headers: AnswerHeaders) => Promise<void>;

export interface Exchange {
  /** What is being done, as the beginning of a sentence, for errors and events. */
  what: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  url: URL;
  token?: string | undefined;
  headers?: Record<string, string>;
  /** Made anew for each attempt. */
  body?: () => string | Buffer | Readable;
  /** How long the registry may keep silent before it answers. Units: milliseconds @default the client's */
  patience?: number | undefined;
  /** Decides which failures are tried again. @default isPassing */
  shouldRetry?: (error: unknown) => boolean;
  signal?: AbortSignal | undefined;
  onEvent?: OnEvent | undefined;
}

export type Body = Dispatcher.ResponseData['body'];

export type AnswerHeaders = Dispatcher.ResponseData['headers'];

/** Requests with retries around the consumer of the answer's body. */
export interface Http {
  /** Sends a request and gives what `consume` makes of a successful answer; `consume` starts over with each attempt. */
  request<T>(exchange: Exchange, consume: (body: Body, headers: AnswerHeaders) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Units: bytes. More is not read of an answer that says what went wrong. */
const MAX_REASON = 64 * 1024;

export function createHttp(
  userAgent: string,
  { retries = 4, retryDelay = 250, timeout = 60_000 }: HttpOptions = {},
  onAnswer?: OnAnswer,
): Http {
  for (const [option, value] of Object.entries({ retries, retryDelay, timeout })) checkCount(option, value);
  const agent = new Agent({ headersTimeout: timeout, bodyTimeout: timeout, connect: { timeout } });

  const attempt = async <T>(
    exchange: Exchange,
    consume: (body: Body, headers: AnswerHeaders) => Promise<T>,
  ): Promise<T> => {
    const { url, method, token, headers, body, signal, what, patience } = exchange;
    const {
      statusCode,
      headers: said,
      body: answer,
    } = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: {
        'user-agent': userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body?.() ?? null,
      signal: signal ?? null,
      ...(patience === undefined ? {} : { headersTimeout: patience }),
    });
    // A body that is given up emits its error once more after whoever read it has gone.
    answer.on('error', () => {});
    try {
      await onAnswer?.(url, said);
      if (statusCode < 200 || statusCode > 299) {
        throw answerFailure(statusCode, await readReason(answer), what, url.origin, token !== undefined);
      }
      return await consume(answer, said);
    } finally {
      if (!answer.readableEnded) answer.destroy();
    }
  };

  return {
    async request(exchange, consume) {
      const { what, url, signal, onEvent, shouldRetry = isPassing } = exchange;
      const mayRetry = (error: unknown) => !signal?.aborted && shouldRetry(error);
      try {
        return await pRetry(
          async () => {
            try {
              return await attempt(exchange, consume);
            } catch (error) {
              throw asFailure(error, what, url.origin);
            }
          },
          {
            retries,
            minTimeout: retryDelay,
            maxTimeout: 40 * retryDelay,
            randomize: true,
            ...(signal === undefined ? {} : { signal }),
            shouldRetry: ({ error }) => mayRetry(error),
            onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
              if (retriesLeft > 0 && mayRetry(error)) onEvent?.({ type: 'retry', what, attempt: attemptNumber, error });
            },
          },
        );
      } catch (error) {
        // Whatever broke because of the signal; its reason may be anything.
        signal?.throwIfAborted();
        throw error;
      }
    },
    async close() {
      if (!agent.closed) await agent.close();
    },
  };
}

function checkCount(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new GypsumError('invalid-argument', `The option "${option}" is ${value}, not a whole number from 0.`, {
    hint: 'Leave it out for the default.',
    details: { [option]: value },
  });
}

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

async function readReason(body: Body): Promise<string | undefined> {
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
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('status' in value) || value.status !== 'error')
      return undefined;
    return 'reason' in value && typeof value.reason === 'string' ? value.reason : 'no reason given';
  } catch (error) {
    // Proxies and other servers answer with HTML or nothing.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
