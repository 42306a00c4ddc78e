import { GypsumError } from '../errors.ts';

const GO_ONLINE =
  'Leave out --offline (and GYPSUM_OFFLINE, and the setting "offline"; in programs: offline) to ask the registry.';

/** Gives the error for what cannot be had without a request where none may be made; `why` is a whole sentence. */
export function offlineError(
  why: string,
  { hint, details = {} }: { readonly hint?: string; readonly details?: Readonly<Record<string, unknown>> } = {},
): GypsumError {
  return new GypsumError('unavailable', `${why} No request is made, since it is to work offline.`, {
    hint: hint === undefined ? GO_ONLINE : `${hint} ${GO_ONLINE}`,
    details,
  });
}
