import { errors } from 'undici';
import { GypsumError, isGypsumError, isSystemError } from '../errors.ts';
import { showText } from '../model/text.ts';

const NETWORK = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPROTO',
];

// Source: Node.js, "X509 certificate error codes" and "OpenSSL errors"
const TLS = /^ERR_(SSL|TLS)_|CERT|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;

const OVERLOADED = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Gives the error that says what a failed exchange with the registry means; others come back as they are. */
export function asFailure(error: unknown, what: string, origin: string): unknown {
  if (!isExchangeError(error)) return error;
  if (error instanceof errors.RequestAbortedError || error instanceof errors.InvalidArgumentError) return error;
  return new GypsumError('unavailable', `${what} failed: ${error.message || error.code}.`, {
    hint: `Check that the registry at ${origin} is running and can be reached from here, then try again.`,
    details: { origin },
    cause: error,
  });
}

function isExchangeError(error: unknown): error is Error & { code?: string } {
  if (error instanceof errors.UndiciError || error instanceof errors.HTTPParserError) return true;
  return (
    isSystemError(error, ...NETWORK) || (error instanceof Error && 'code' in error && TLS.test(String(error.code)))
  );
}

/** What to do where there is no token. */
export const NEEDS_TOKEN =
  'Log in with "gypsum login", or give a token in GYPSUM_TOKEN or as the library\'s option "token".';

const NEEDS_OTHER_TOKEN = 'Log in again with "gypsum login", or give a token that this registry knows in GYPSUM_TOKEN.';

/** Gives the error for an answer that is not a success; `hadToken` says whether the request had one. */
export function answerFailure(
  status: number,
  reason: string | undefined,
  what: string,
  origin: string,
  hadToken = true,
): GypsumError {
  const said =
    reason === undefined
      ? `the registry answered ${status}`
      : `the registry says: ${showText(reason).replace(/\.$/, '')}`;
  const details = { status, reason, origin };
  const make = (code: GypsumError['code'], hint: string) =>
    new GypsumError(code, `${what} failed: ${said}.`, { hint, details });
  if (status === 507) return make('refused', 'Tell the people who run the registry that its disk is full.');
  if (OVERLOADED.has(status) || status >= 500) {
    return make('unavailable', 'The registry has a problem of its own; try again later.');
  }
  if (status >= 300 && status < 400) {
    return make('invalid-response', `${origin} sends requests elsewhere. Give the registry's own URL.`);
  }
  if (status === 401) return make('unauthorized', hadToken ? NEEDS_OTHER_TOKEN : NEEDS_TOKEN);
  if (status === 403 && reason !== undefined && /\blocked\b/.test(reason)) {
    return make(
      'project-locked',
      'Wait for the other upload to end. If nobody can end it, an owner of the project can: gypsum project unlock PROJECT',
    );
  }
  if (status === 403) return make('forbidden', 'Ask an owner of the project for permission.');
  if (status === 404) return make('not-found', `Check the names, and that ${origin} is where the registry is.`);
  return make('refused', 'Change the request as the registry says.');
}

/** Whether trying again can help: the exchange broke, the registry was overloaded, or the bytes were wrong. */
export function isPassing(error: unknown): boolean {
  return isGypsumError(error, 'unavailable') || isGypsumError(error, 'wrong-content');
}

/** Whether the failure proves that the registry did not act on the request. */
export function wasNotProcessed(error: unknown): boolean {
  if (!isGypsumError(error, 'unavailable')) return false;
  if (error.details.status === 429 || error.details.status === 503) return true;
  return isSystemError(error.cause, 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN');
}
