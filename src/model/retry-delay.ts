/** Gives how long to wait after a number of failures in a row: `first` after the first one, and it doubles. Units: as of `first` */
export function retryDelay(first: number, failures: number): number {
  return first * 2 ** Math.min(Math.max(failures, 1) - 1, 20);
}
