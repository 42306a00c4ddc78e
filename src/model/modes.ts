import type { DirectoryEntry, FileEntry } from './tree.ts';

/** What has permissions that a version can know. */
type Permitted = Pick<FileEntry | DirectoryEntry, 'type' | 'mode'>;

/** Permissions of what nothing else is known of. */
const USUAL = { file: 0o644, directory: 0o755 } as const;

interface Unsaid {
  /** Permissions that files and folders get where nobody says which, under the usual umasks and that of this process. */
  readonly plain: Readonly<Record<Permitted['type'], ReadonlySet<number>>>;
  /** Those, of programs and of files in the cache too: they say whether something may be executed, and nothing else. */
  readonly all: ReadonlySet<number>;
}

let known: Unsaid | undefined;

/** To read the umask, it is set for a moment, which other threads may notice: once will do, and only where somebody asks. */
function unsaid(): Unsaid {
  known ??= unsaidUnder(process.umask());
  return known;
}

function unsaidUnder(umask: number): Unsaid {
  const usual = [0o444, 0o644, 0o664, 0o555, 0o755, 0o775].flatMap((mode) => [mode, mode & ~umask]);
  return {
    plain: {
      file: new Set([0o644, 0o664, 0o666 & ~umask]),
      directory: new Set([0o755, 0o775, 0o777 & ~umask]),
    },
    all: new Set([...usual, ...[0o666, 0o777].map((mode) => mode & ~umask)]),
  };
}

export function modeOf({ type, mode }: Permitted): number {
  return mode ?? USUAL[type];
}

/** Whether a folder or file needs no permissions to be told of. */
export function isPlain({ type, mode }: Permitted): boolean {
  return mode === undefined || unsaid().plain[type].has(mode);
}

/** Gives the permissions that are meant by those of a folder's own entry: what nobody has said is as it was `before`. */
export function meantMode(mode: number | undefined, before: Permitted): number | undefined {
  if (mode === undefined) return before.mode;
  return unsaid().all.has(mode) && isRunnable(mode) === isRunnable(modeOf(before)) ? before.mode : mode;
}

/** Whether two entries of one type have the same permissions, as far as somebody has said them. */
export function sameMode(a: Permitted, b: Permitted): boolean {
  const [left, right] = [modeOf(a), modeOf(b)];
  if (left === right) return true;
  return unsaid().all.has(left) && unsaid().all.has(right) && isRunnable(left) === isRunnable(right);
}

export function isRunnable(mode: number): boolean {
  return (mode & 0o111) !== 0;
}

/** Gives permissions as people write them: `0644`. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
