import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { GypsumError } from '../errors.ts';
import type { OnEvent } from '../events.ts';
import { sleep } from '../give-way.ts';
import { type AnswerHeaders, type Body, readReason } from './answers.ts';
import { createDispatcher, type NetworkOptions } from './dispatcher.ts';
import { answerFailure, asFailure, isPassing, waitAskedFor } from './failures.ts';
import { offlineError } from './offline.ts';
import { MAX_REDIRECTS, redirectTarget } from './redirect.ts';
import { parseRetryAfter } from './retry-after.ts';

export interface HttpOptions extends NetworkOptions {
  /** Make no request at all: what would need one throws `unavailable`. @default false */
  offline?: boolean | undefined;
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
  /** A function makes them anew for each attempt. */
  headers?: Record<string, string> | (() => Promise<Record<string, string>>);
  /** Made anew for each attempt. */
  body?: () => string | Buffer | Readable;
  /** How long the registry may keep silent before it answers. Units: milliseconds @default the client's */
  patience?: number | undefined;
  /** Decides which failures are tried again. @default isPassing */
  shouldRetry?: (error: unknown) => boolean;
  signal?: AbortSignal | undefined;
  onEvent?: OnEvent | undefined;
}

export type Consume<T> = (body: Body, headers: AnswerHeaders, status: number) => Promise<T>;

/** Requests with retries around the consumer of the answer's body. */
export interface Http {
  /** Sends a request and gives what `consume` makes of a successful answer; `consume` starts over with each attempt. */
  request<T>(exchange: Exchange, consume: Consume<T>): Promise<T>;
  close(): Promise<void>;
}

export function createHttp(
  userAgent: string,
  { offline = false, retries = 4, retryDelay = 250, timeout = 60_000, ...network }: HttpOptions = {},
  onAnswer?: OnAnswer,
): Http {
  for (const [option, value] of Object.entries({ retries, retryDelay, timeout })) checkCount(option, value);
  const dispatcher = createDispatcher({ ...network, timeout });
  let closed: Promise<void> | undefined;

  const send = async ({ url, method, token, headers, body, signal, patience }: Exchange) => {
    const answer = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: {
        'user-agent': userAgent,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(typeof headers === 'function' ? await headers() : headers),
      },
      body: body?.() ?? null,
      signal: signal ?? null,
      // Also where a proxy is asked, which does not take the dispatcher's.
      headersTimeout: patience ?? timeout,
      bodyTimeout: timeout,
    });
    // A body that is given up emits its error once more after whoever read it has gone.
    answer.body.on('error', () => {});
    return answer;
  };

  /** Gives what is made of an answer, or where to ask instead. */
  const look = async <T>(
    { what, method, url, token }: Exchange,
    { statusCode: status, headers, body }: Dispatcher.ResponseData,
    consume: Consume<T>,
    mayGoOn: boolean,
  ): Promise<{ readonly value: T } | { readonly next: URL }> => {
    try {
      await onAnswer?.(url, headers);
      if (status >= 200 && status <= 299) return { value: await consume(body, headers, status) };
      const next = mayGoOn ? redirectTarget(method, url, status, headers.location) : undefined;
      if (next === undefined) {
        const details = { status, reason: await readReason(body), retryAfter: parseRetryAfter(headers['retry-after']) };
        throw answerFailure(details, what, url.origin, token !== undefined);
      }
      await body.dump();
      return { next };
    } finally {
      if (!body.readableEnded) body.destroy();
    }
  };

  const attempt = async <T>(exchange: Exchange, consume: Consume<T>): Promise<T> => {
    for (let asked = exchange, hops = 0; ; hops++) {
      const found = await tell(asked, async () => look(asked, await send(asked), consume, hops < MAX_REDIRECTS));
      if ('value' in found) return found.value;
      // Nobody but whom the token is for is shown it, also if the way leads back.
      const token = found.next.origin === asked.url.origin ? asked.token : undefined;
      asked = { ...asked, url: found.next, token };
    }
  };

  return {
    async request(exchange, consume) {
      const { what, signal, onEvent, shouldRetry = isPassing } = exchange;
      signal?.throwIfAborted();
      if (offline) throw offlineError(`${what} needs a request.`);
      const mayRetry = (error: unknown) => !signal?.aborted && shouldRetry(error);
      // Most requests are answered at once: to load and to ask p-retry for each takes 50 µs.
      const first = await settled(attempt(exchange, consume));
      if ('value' in first) return first.value;
      try {
        const { default: pRetry } = await import('p-retry');
        const again = (number: number) => (number === 1 ? Promise.reject(first.error) : attempt(exchange, consume));
        return await pRetry(again, {
          retries,
          minTimeout: retryDelay,
          maxTimeout: 40 * retryDelay,
          randomize: true,
          ...(signal === undefined ? {} : { signal }),
          shouldRetry: ({ error }) => mayRetry(error),
          async onFailedAttempt({ error, attemptNumber, retriesLeft }) {
            if (retriesLeft === 0 || !mayRetry(error)) return;
            const delay = waitAskedFor(error);
            onEvent?.({ type: 'retry', what, attempt: attemptNumber, error, ...(delay > 0 && { delay }) });
            if (delay > 0) await sleep(delay, signal);
          },
        });
      } catch (error) {
        // Whatever broke because of the signal; its reason may be anything.
        signal?.throwIfAborted();
        throw error;
      }
    },
    close() {
      closed ??= dispatcher.close();
      return closed;
    },
  };
}

async function settled<T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly error: unknown }> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}

/** Does it, and throws what a failure of it means for whom was asked. */
async function tell<T>({ what, url }: Exchange, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw asFailure(error, what, url.origin);
  }
}

function checkCount(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new GypsumError('invalid-argument', `The option "${option}" is ${value}, not a whole number from 0.`, {
    hint: 'Leave it out for the default.',
    details: { [option]: value },
  });
}
