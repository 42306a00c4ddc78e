/**
 * Encodes the URL or path of a session's next step, which registries send as plain text: each segment by itself.
 *
 * Source: contract of the gypsum REST API, "What clients must be ready for"
 */
export function encodeSessionUrl(plain: string): string {
  const origin = /^https?:\/\/[^/]*/.exec(plain)?.[0] ?? '';
  return origin + plain.slice(origin.length).split('/').map(encodeURIComponent).join('/');
}
