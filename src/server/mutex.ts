/** Runs work of the same name one after the other; work of different names at once. */
export interface Mutex {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
}

export function createMutex(): Mutex {
  const tails = new Map<string, Promise<unknown>>();
  return {
    async run(name, work) {
      const before = tails.get(name);
      const mine = (before ?? Promise.resolve()).then(work);
      const tail = mine.catch(() => {});
      tails.set(name, tail);
      try {
        return await mine;
      } finally {
        if (tails.get(name) === tail) tails.delete(name);
      }
    },
  };
}
