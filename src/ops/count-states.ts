/** Counts how many files are in each of all states. */
export function countStates<State extends string>(
  states: readonly State[],
  files: readonly { readonly state: State }[],
): Record<State, number> {
  const counts = Object.fromEntries(states.map((state) => [state, 0])) as Record<State, number>;
  for (const { state } of files) counts[state]++;
  return counts;
}
