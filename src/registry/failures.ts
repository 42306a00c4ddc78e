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

/** Codes of undici's own errors and of its parser's: to ask for their classes, it would have to be loaded. */
const UNDICI = /^(UND_ERR|HPE_)/;

// Source: Node.js, "X509 certificate error codes" and "OpenSSL errors"
const TLS = /^ERR_(SSL|TLS)_|CERT|^UNABLE_TO_VERIFY|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$/;
const NOT_TRUSTED = /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(VERIFY|GET_ISSUER).*)$/;

const OVERLOADED = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Gives the error that says what a failed exchange with the registry means; others come back as they are. */
export function asFailure(error: unknown, what: string, origin: string): unknown {
  if (!isExchangeError(error)) return error;
  const isOfProxy = PROXY_REFUSED.test(error.message) || error.code === 'UND_ERR_PRX_TLS';
  if (!isOfProxy && (error.code === 'UND_ERR_ABORTED' || error.code === 'UND_ERR_INVALID_ARG')) return error;
  return new GypsumError('unavailable', `${what} failed: ${error.message || error.code}.`, {
    hint: isOfProxy ? PROXY_HINT : NOT_TRUSTED.test(String(error.code)) ? NOT_TRUSTED_HINT : unreachable(origin),
    details: { origin },
    cause: error,
  });
}

/** What undici says where a proxy lets nobody through; it has no class or code for that. */
const PROXY_REFUSED = /^Proxy (response|Authentication)/;

const PROXY_HINT =
  'Check the proxy in HTTPS_PROXY and HTTP_PROXY: its address, and user and password in it (http://user:password@proxy:3128). NO_PROXY names hosts that are asked directly.';

const NOT_TRUSTED_HINT =
  'If the certificate is of an authority of your own, give that one\'s in the file of GYPSUM_CA_FILE, or as the library\'s option "ca".';

function unreachable(origin: string): string {
  return `Check that the registry at ${origin} is running and can be reached from here, then try again.`;
}

function isExchangeError(error: unknown): error is Error & { code?: string } {
  if (!(error instanceof Error && 'code' in error)) return false;
  const code = String(error.code);
  return NETWORK.includes(code) || UNDICI.test(code) || TLS.test(code) || error.name === 'HTTPParserError';
}

/** What to do where there is no token. */
export const NEEDS_TOKEN =
  'Log in with "gypsum login", or give a token in GYPSUM_TOKEN or as the library\'s option "token".';

const NEEDS_OTHER_TOKEN = 'Log in again with "gypsum login", or give a token that this registry knows in GYPSUM_TOKEN.';

const GITHUB_REFUSED =
  'If the token is one that GitHub knows, try again later: the registry may only have failed to ask. Else log in again with "gypsum login".';

/** What an answer that is not a success says. */
export interface Refusal {
  readonly status: number;
  readonly reason?: string | undefined;
  /** How long it wants nobody to ask again. Units: milliseconds */
  readonly retryAfter?: number;
}

/** Gives the error for an answer that is not a success; `hadToken` says whether the request had one. */
export function answerFailure(
  { status, reason, retryAfter = 0 }: Refusal,
  what: string,
  origin: string,
  hadToken = true,
): GypsumError {
  const said =
    reason === undefined
      ? `the registry answered ${status}`
      : `the registry says: ${showText(reason).replace(/\.$/, '')}`;
  const details = { status, reason, origin, ...(retryAfter > 0 && { retryAfter }) };
  const make = (code: GypsumError['code'], hint: string) =>
    new GypsumError(code, `${what} failed: ${said}.`, { hint, details });
  if (status === 407) return make('unavailable', PROXY_HINT);
  if (status === 507) return make('refused', 'Tell the people who run the registry that its disk is full.');
  if (OVERLOADED.has(status) || status >= 500) {
    return make('unavailable', 'The registry has a problem of its own; try again later.');
  }
  if (status >= 300 && status < 400) {
    return make('invalid-response', `${origin} sends requests elsewhere. Give the registry's own URL.`);
  }
  if (status === 401) {
    // Whatever GitHub has against a token, and whatever keeps a registry from asking it, is told in the same way.
    const isOfGithub = reason !== undefined && /\bquery GitHub\b/i.test(reason);
    return make('unauthorized', hadToken ? (isOfGithub ? GITHUB_REFUSED : NEEDS_OTHER_TOKEN) : NEEDS_TOKEN);
  }
  if (status === 403 && reason !== undefined && /\blocked\b/.test(reason)) {
    return make(
      'project-locked',
      'Wait for the other upload to end. If nobody can end it, an owner of the project can: gypsum project unlock PROJECT',
    );
  }
  if (status === 403)
    return make(
      'forbidden',
      "Owners of the project give permissions (gypsum project permissions). To make or remove anything, to refresh, and to change quotas is the administrators'.",
    );
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

/** Gives how long a registry that refused wants to be left alone. Units: milliseconds */
export function waitAskedFor(error: unknown): number {
  const wait = isGypsumError(error) ? error.details.retryAfter : undefined;
  return typeof wait === 'number' ? wait : 0;
}

/** Whether the registry has answered, and the answer is no. */
export function isRefusal(error: unknown): boolean {
  if (!isGypsumError(error) || error.code === 'unavailable') return false;
  // The public registry says no with status 200, too.
  return error.code === 'refused' || typeof error.details.status === 'number';
}
