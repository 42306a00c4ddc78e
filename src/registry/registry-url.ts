import { GypsumError } from '../errors.ts';
import { showText } from '../model/text.ts';

/** Reads a registry's URL, or another one that paths are put behind, or throws `invalid-argument`. */
export function parseRegistryUrl(text: string, whose = 'a registry'): URL {
  const url = parseUrl(text);
  if (url !== undefined && url.href === url.origin + url.pathname) return url;
  // What stands before an "@" may be a password.
  const shown = text.replace(/^.*@/s, '…@');
  throw new GypsumError('invalid-argument', `"${showText(shown)}" is not the URL of ${whose}.`, {
    hint: 'Give an http or https URL without a user, a query or a fragment, such as http://127.0.0.1:8080.',
    details: { url: shown },
  });
}

/** Reads an http or https URL; nothing if it is none. */
export function parseUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) ? url : undefined;
}
