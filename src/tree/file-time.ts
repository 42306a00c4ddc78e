/**
 * Gives the time that `utimes` takes for one in nanoseconds, such that a file's own is the same to the microsecond (after 2038 it may be
 * off by one or two) and a whole second stays one. Seconds as a double have no room for more; Node 20 and 22 cut them off at the
 * microsecond, Node 24 at the nanosecond. A number below zero would be taken for now: times before 1970 are dates, which have milliseconds.
 */
export function fileTime(nanoseconds: bigint): number | Date {
  if (nanoseconds < 0n) return new Date(Math.floor(Number(nanoseconds) / 1e6));
  const microseconds = Number(nanoseconds / 1000n);
  const seconds = microseconds / 1e6;
  const isBelow = Math.trunc(seconds * 1e6) < microseconds || fraction(seconds) < microseconds % 1e6;
  return isBelow ? seconds * (1 + Number.EPSILON) : seconds;
}

/** The microseconds behind the second, as they are once they have been cut off at the nanosecond. */
function fraction(seconds: number): number {
  return Math.trunc(Math.trunc((seconds % 1) * 1e9) / 1000);
}
