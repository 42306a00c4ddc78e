import type { CallOptions, GypsumEvent, Task } from './events.ts';

/** The events of one call, in the order in which they happened, and what the call gives. */
export interface Followed<T> extends AsyncIterable<GypsumEvent> {
  readonly result: Promise<T>;
}

/** How many events wait for a slow reader; of more, the oldest are lost. */
const MOST_WAITING = 10_000;

/**
 * Makes a call and gives its events to be read in a loop, in place of a callback:
 *
 *     const saving = followEvents((call) => client.saveVersion(ref, call));
 *     for await (const event of saving) show(event);
 *     const { directory } = await saving.result;
 *
 * The loop ends with the call, and throws what the call throws. To leave it early stops the call. Progress that waits to be
 * read is added up, so that a slow reader holds no more than a few events in memory.
 */
export function followEvents<T>(
  start: (call: Required<CallOptions>) => Promise<T>,
  { signal }: Pick<CallOptions, 'signal'> = {},
): Followed<T> {
  const left = new AbortController();
  const waiting: GypsumEvent[] = [];
  const growing = new Map<Task, Progress>();
  let ended = false;
  let wake = () => {};

  const onEvent = (event: GypsumEvent) => {
    const known = event.type === 'progress' ? growing.get(event.task) : undefined;
    if (event.type === 'progress' && known !== undefined) {
      known.files += event.files;
      known.bytes += event.bytes;
    } else if (event.type === 'progress') {
      const progress = { ...event };
      growing.set(event.task, progress);
      waiting.push(progress);
    } else {
      // What is told of a task after this belongs behind it.
      if (event.type === 'start' || event.type === 'end') growing.delete(event.task);
      waiting.push(event);
    }
    if (waiting.length > MOST_WAITING) take();
    wake();
  };
  const take = (): GypsumEvent | undefined => {
    const event = waiting.shift();
    if (event?.type === 'progress' && growing.get(event.task) === event) growing.delete(event.task);
    return event;
  };
  const end = () => {
    ended = true;
    wake();
  };

  const signals = signal === undefined ? [left.signal] : [signal, left.signal];
  const result = start({ onEvent, signal: AbortSignal.any(signals) });
  result.then(end, end);

  async function* read(): AsyncGenerator<GypsumEvent, void> {
    try {
      while (!ended || waiting.length > 0) {
        const event = take();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      await result;
    } finally {
      left.abort(new Error('Nobody reads the events any more.'));
      await Promise.allSettled([result]);
    }
  }
  const events = read();
  return { result, [Symbol.asyncIterator]: () => events };
}

type Progress = {
  -readonly [Key in keyof Extract<GypsumEvent, { type: 'progress' }>]: Extract<GypsumEvent, { type: 'progress' }>[Key];
};
