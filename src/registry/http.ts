import type { Readable } from 'node:stream';
import pRetry from 'p-retry';
import { Agent } from 'undici';
import { GypsumError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { type AnswerHeaders, type Body, readReason } from './answers.ts';
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

/** Requests with retries around the consumer of the answer's body. */
export interface Http {
  /** Sends a request and gives what `consume` makes of a successful answer; `consume` starts over with each attempt. */
  request<T>(exchange: Exchange, consume: (body: Body, headers: AnswerHeaders) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

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
