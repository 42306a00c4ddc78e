import prettyBytes from 'pretty-bytes';
import type { Task } from '../events.ts';
import type { Count, Progress } from './progress.ts';

const words: Record<Task, { readonly doing: string; readonly done: string }> = {
  fetch: { doing: 'Fetching', done: 'Fetched' },
  clone: { doing: 'Linking', done: 'Linked' },
  scan: { doing: 'Scanning', done: 'Scanned' },
  digest: { doing: 'Hashing', done: 'Hashed' },
  send: { doing: 'Sending', done: 'Sent' },
  verify: { doing: 'Verifying', done: 'Verified' },
  remove: { doing: 'Removing', done: 'Removed' },
  change: { doing: 'Changing', done: 'Changed' },
  backup: { doing: 'Copying', done: 'Copied' },
  export: { doing: 'Exporting', done: 'Exported' },
};

const GAP = '  ';

/** Units: columns */
const MIN_BAR = 8;
const MAX_BAR = 30;

/** Units: seconds. A guess beyond it says no more than that it stands still. */
const LONGEST = 100 * 3_600;

/** How a line is drawn. */
export interface LineStyle {
  /** Units: columns of the terminal; the last one stays free, for with a character there some terminals begin another line. */
  readonly columns: number;
  readonly unicode: boolean;
}

/** Gives one line for a terminal: the narrower it is, the fewer parts. Every character is one column wide. */
export function progressLine({ task, files, bytes, fraction, rate, left }: Progress, style: LineStyle): string {
  const label = words[task].doing;
  const percent = fraction === undefined ? undefined : `${Math.floor(fraction * 100)}%`.padStart(4);
  const long = `${ratio(files, full)} ${noun(files)}`;
  const short = ratio(files, brief);
  const size = bytes.total > 0 ? sizes(bytes, '/', true) : undefined;
  // What is not known yet keeps its place, so that the bar does not jump when it is.
  const pace = size === undefined ? undefined : (rate === undefined ? '' : `${showSize(rate)}/s`).padStart(10);
  const isSoon = left !== undefined && left < LONGEST;
  const rest = fraction === undefined ? undefined : (isSoon ? `${showTime(left)} left` : '').padEnd(9);
  const layouts: readonly Layout[] = [
    [label, fraction, long, size, pace, rest],
    [label, fraction, long, size, rest],
    [label, fraction, percent, long, rest],
    [label, fraction, percent, short, rest],
    [label, fraction, percent, short],
    [label, undefined, percent, short],
    [undefined, undefined, percent, short],
    [undefined, undefined, percent ?? short],
  ];
  for (const layout of layouts) {
    const line = compose(layout, style);
    if (line !== undefined) return line;
  }
  return '';
}

/** Gives the line that tells a log how far it is. */
export function progressText({ task, files, bytes }: Progress): string {
  const count = files.total > 0 ? `${full(files.done)} of ${full(files.total)}` : full(files.done);
  const size = bytes.total > 0 ? `, ${sizes(bytes, ' of ')}` : '';
  return `${words[task].done} ${count} ${noun(files)}${size}`;
}

type Layout = readonly [label: string | undefined, bar: number | undefined, ...parts: (string | undefined)[]];

function compose([label, bar, ...rest]: Layout, { columns, unicode }: LineStyle): string | undefined {
  const parts = [label, ...rest].filter((part) => part !== undefined);
  if (bar !== undefined) {
    const room = columns - 1 - parts.join(GAP).length - GAP.length;
    if (room < MIN_BAR) return undefined;
    parts.splice(1, 0, drawBar(bar, Math.min(room, MAX_BAR), unicode));
  }
  const line = parts.join(GAP).trim();
  return line.length < columns ? line : undefined;
}

function drawBar(fraction: number, width: number, unicode: boolean): string {
  const [full, empty] = unicode ? ['█', '░'] : ['#', '.'];
  const filled = Math.floor(fraction * width);
  return full.repeat(filled) + empty.repeat(width - filled);
}

// The first one takes 12 ms of CPU to make, for which no command waits that shows no progress.
let fullFormat: Intl.NumberFormat | undefined;
let briefFormat: Intl.NumberFormat | undefined;

function full(value: number): string {
  fullFormat ??= new Intl.NumberFormat('en');
  return fullFormat.format(value);
}

function brief(value: number): string {
  briefFormat ??= new Intl.NumberFormat('en', { notation: 'compact' });
  return briefFormat.format(value);
}

function ratio({ done, total }: Count, format: (value: number) => string): string {
  if (total === 0) return format(done);
  return `${format(done)}/${format(total)}`.padStart(2 * format(total).length + 1);
}

function noun({ done, total }: Count): string {
  return (total === 0 ? done : total) === 1 ? 'file' : 'files';
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** Both sizes in the unit of the total; with `align`, the text is as wide at the beginning as at the end. */
function sizes({ done, total }: Count, between: string, align = false): string {
  const all = showSize(total);
  const [digits = '', unit = ''] = all.split(' ');
  const power = UNITS.indexOf(unit);
  const part = (done / 1_000 ** power).toFixed(power === 0 ? 0 : 1);
  return `${align ? part.padStart(digits.length) : part}${between}${all}`;
}

function showSize(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`;
  return prettyBytes(bytes, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

/** Shows seconds as a clock does: `0:04`, `1:02:03`. */
function showTime(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  const rest = two(whole % 60);
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}
