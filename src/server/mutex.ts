/** Runs work of the same name one after the other; work of different names at once. */
export interface Mutex {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Runs work beside other work that shares the name, but beside nothing that `run` runs. */
  share<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** How much work `run` has ended, of any name: what such work alone changes is what it was for as long as this is. */
  readonly turns: number;
}

interface Queue {
  /** The last work that is alone: all that comes later waits for it. */
  alone: Promise<unknown>;
  /** What has shared the name since: what is alone next waits for it, too. */
  sharing: Set<Promise<unknown>>;
  length: number;
}

export function createMutex(): Mutex {
  const queues = new Map<string, Queue>();
  let turns = 0;

  const enter = async <T>(name: string, join: (queue: Queue) => Promise<T>): Promise<T> => {
    const queue = queues.get(name) ?? { alone: Promise.resolve(), sharing: new Set(), length: 0 };
    queues.set(name, queue);
    queue.length++;
    try {
      return await join(queue);
    } finally {
      if (--queue.length === 0) queues.delete(name);
    }
  };

  return {
    run: (name, work) =>
      enter(name, (queue) => {
        const mine = Promise.all([queue.alone, ...queue.sharing])
          .then(work)
          .finally(() => turns++);
        queue.alone = mine.catch(() => {});
        queue.sharing = new Set();
        return mine;
      }),
    share: (name, work) =>
      enter(name, async (queue) => {
        const mine = queue.alone.then(work);
        const { sharing } = queue;
        const end = mine.catch(() => {});
        sharing.add(end);
        try {
          return await mine;
        } finally {
          sharing.delete(end);
        }
      }),
    get turns() {
      return turns;
    },
  };
}
