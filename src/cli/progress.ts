import type { GypsumEvent, Task } from '../events.ts';

/** How much has been done of what is to be done; a total of 0 says that nobody knows it. */
export interface Count {
  readonly done: number;
  readonly total: number;
}

/** How far a task has come. */
export interface Progress {
  readonly task: Task;
  /** Units: milliseconds on the clock that the events were counted with */
  readonly since: number;
  readonly files: Count;
  /** Units: bytes */
  readonly bytes: Count;
  /** From 0 to 1: of the bytes, or of the files where there are no bytes to count. */
  readonly fraction?: number;
  /** Units: bytes per second */
  readonly rate?: number;
  /** Units: seconds */
  readonly left?: number;
}

/** Counts events. It has no clock of its own: `now` is in milliseconds, and never goes back. */
export interface Tracker {
  count(event: GypsumEvent, now: number): void;
  /** Gives the task that began last of those that go on, if there is one. */
  look(now: number): Progress | undefined;
}

interface Running {
  readonly since: number;
  /** How many calls work at it: their totals add up, and it ends with the last of them. */
  calls: number;
  files: Count;
  bytes: Count;
  readonly filePace: Pace;
  readonly bytePace: Pace;
}

/** What is told of an upload that has failed. */
const FAILED: readonly GypsumEvent['type'][] = ['upload-aborted', 'upload-abandoned', 'upload-kept'];

export function createTracker(): Tracker {
  const tasks = new Map<Task, Running>();
  return {
    count(event, now) {
      if (event.type === 'start') start(tasks, event, now);
      else if (event.type === 'progress') {
        const running = tasks.get(event.task);
        if (running === undefined) return;
        running.files = more(running.files, event.files);
        running.bytes = more(running.bytes, event.bytes);
        running.filePace.moved(event.files, now);
        running.bytePace.moved(event.bytes, now);
      } else if (event.type === 'end') {
        const running = tasks.get(event.task);
        if (running !== undefined && --running.calls === 0) tasks.delete(event.task);
        // A task that failed does not say that it ends.
      } else if (FAILED.includes(event.type)) tasks.clear();
    },
    look(now) {
      const last = [...tasks].at(-1);
      return last === undefined ? undefined : describe(...last, now);
    },
  };
}

function start(tasks: Map<Task, Running>, { task, files, bytes }: GypsumEvent & { type: 'start' }, now: number): void {
  const running = tasks.get(task);
  if (running === undefined) {
    tasks.set(task, {
      since: now,
      calls: 1,
      files: { done: 0, total: files },
      bytes: { done: 0, total: bytes },
      filePace: createPace(now),
      bytePace: createPace(now),
    });
  } else {
    running.calls++;
    running.files = { ...running.files, total: running.files.total + files };
    running.bytes = { ...running.bytes, total: running.bytes.total + bytes };
  }
}

/** A retry may take back more than was counted here: what another call began before we looked. */
function more({ done, total }: Count, by: number): Count {
  return { done: Math.max(0, done + by), total };
}

function describe(task: Task, { since, files, bytes, filePace, bytePace }: Running, now: number): Progress {
  const [measure, speed] = bytes.total > 0 ? [bytes, bytePace.rate(now)] : [files, filePace.rate(now)];
  const rate = bytes.total > 0 ? speed : undefined;
  const isKnown = measure.total > 0;
  const open = Math.max(0, measure.total - measure.done);
  return {
    task,
    since,
    files,
    bytes,
    ...(isKnown && { fraction: Math.min(1, measure.done / measure.total) }),
    ...(rate !== undefined && { rate }),
    ...(isKnown && speed !== undefined && speed > 0 && { left: open / speed }),
  };
}

/** Units: milliseconds. Over how long a rate is taken: a shorter time jumps, a longer one tells of the past. */
const WINDOW = 5_000;

/** Units: milliseconds. What is younger has no rate yet, and marks are this fraction of the window apart. */
const FIRST_RATE = 1_000;
const MARKS = 50;

/** How fast something moves, over the last few seconds. */
interface Pace {
  moved(by: number, now: number): void;
  /** Units: per second */
  rate(now: number): number | undefined;
}

function createPace(since: number): Pace {
  let sum = 0;
  const marks = [{ at: since, sum: 0 }];
  const mark = (now: number) => {
    const last = marks.at(-1);
    if (last === undefined || now - last.at >= WINDOW / MARKS) marks.push({ at: now, sum });
    // The first mark stands where the window begins, or just before.
    while (marks[1] !== undefined && marks[1].at <= now - WINDOW) marks.shift();
  };
  return {
    moved(by, now) {
      mark(now);
      // Bytes that a retry takes back have been carried all the same, and carrying is what takes time.
      if (by > 0) sum += by;
    },
    rate(now) {
      mark(now);
      const [first] = marks;
      const time = first === undefined ? 0 : now - first.at;
      return first === undefined || time < FIRST_RATE ? undefined : ((sum - first.sum) / time) * 1_000;
    },
  };
}
