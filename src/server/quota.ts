import { z } from 'zod';
import { refuse } from './http.ts';
import { describe } from './permissions.ts';

/** `..quota` as it is on the wire. */
export const wireQuota = z.object({
  baseline: z.number().min(0),
  growth_rate: z.number().min(0),
  year: z.number().min(0),
});

const quotaChange = wireQuota.partial();

/**
 * `..quota` of a project: `baseline` in `year`, and `growth_rate` more with every year since.
 *
 * Units: bytes
 */
export interface Quota {
  readonly baseline: number;
  readonly growth_rate: number;
  readonly year: number;
}

/** Source: the public registry */
export function defaultQuota(): Quota {
  return { baseline: 10_000_000_000, growth_rate: 20_000_000_000, year: new Date().getUTCFullYear() };
}

/** Replaces what a request names of a quota; throws `refused` if it is not of its form. */
export function changeQuota(before: Quota, change: unknown): Quota {
  const parsed = quotaChange.safeParse(change);
  if (!parsed.success) throw refuse(`The quota is not valid: ${describe(parsed.error)}.`);
  const { baseline = before.baseline, growth_rate = before.growth_rate, year = before.year } = parsed.data;
  return { baseline, growth_rate, year };
}

/**
 * Throws `refused` unless what is used stays below what is allowed. A quota that is full refuses an upload of links too.
 *
 * Units: bytes
 */
export function checkQuota({ baseline, growth_rate, year }: Quota, used: number, added: number): void {
  const allowed = baseline + (new Date().getUTCFullYear() - year) * growth_rate;
  if (used + added >= allowed) {
    throw refuse(`The upload exceeds the project's quota: ${used} + ${added} of ${allowed} bytes.`);
  }
}
