/** The longest that anybody is left alone because they asked for it. Units: milliseconds */
const LONGEST = 60_000;

/**
 * Reads `Retry-After`, as seconds or as a date. What it is not, and what is over, is no wait.
 *
 * Units: milliseconds
 * Source: RFC 9110, 10.2.3
 */
export function parseRetryAfter(header: unknown, now = Date.now()): number {
  if (typeof header !== 'string') return 0;
  const wait = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? 0 : Math.min(Math.max(wait, 0), LONGEST);
}
