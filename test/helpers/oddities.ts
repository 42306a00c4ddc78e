import { ODDITY_NAMES, type Oddities } from '../../mocks/index.ts';

let current: Oddities | undefined;

/** How the registries of the running test are odd; nothing in the ordinary run. */
export function currentOddities(): Oddities | undefined {
  return current;
}

/** From here on, registries are as the public one is, but for what is named. */
export function beAsThePublicOne(without: readonly (keyof Oddities)[]): void {
  current = Object.fromEntries(ODDITY_NAMES.map((name) => [name, !without.includes(name)]));
}
