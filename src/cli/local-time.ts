/** Gives a time as logs of Python have it: `2026-01-02 03:04:05,678`, as clocks on the wall say. */
export function localTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${day} ${clock},${String(time.getMilliseconds()).padStart(3, '0')}`;
}
