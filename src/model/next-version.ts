/** Gives the name of the version that follows some: the largest whole number plus one, or 1. */
export function nextVersion(names: readonly string[]): string {
  const numbers = names.filter((name) => WHOLE_NUMBER.test(name)).map(BigInt);
  return String(numbers.reduce((largest, number) => (number > largest ? number : largest), 0n) + 1n);
}

/** Units: no more digits than anybody counts with */
const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,30})$/;
