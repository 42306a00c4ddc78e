import type { Oddities } from '../../mocks/index.ts';

const ALL: Required<Oddities> = {
  wipesExisting: true,
  errorsWithStatus200: true,
  latin1Slugs: true,
  noExtras: true,
  racyLock: true,
  presignedElsewhere: true,
  expiringUrls: true,
  latePuts: true,
  cachedPermissions: true,
  oddDates: true,
  twiceDecodedPrefix: true,
};

let current: Oddities | undefined;

/** How the registries of the running test are odd; nothing in the ordinary run. */
export function currentOddities(): Oddities | undefined {
  return current;
}

/** From here on, registries are as the public one is, but for what is named. */
export function beAsThePublicOne(without: readonly (keyof Oddities)[]): void {
  current = { ...ALL, ...Object.fromEntries(without.map((name) => [name, false])) };
}
