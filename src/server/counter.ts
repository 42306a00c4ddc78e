/** Counts what is going on, by name. */
export interface Counter {
  /** Counts `work` from its beginning to its end. */
  during<T>(name: string, work: () => Promise<T>): Promise<T>;
  has(name: string): boolean;
  /** Of all names. */
  readonly total: number;
}

export function createCounter(): Counter {
  const counts = new Map<string, number>();
  let total = 0;
  const add = (name: string, change: number) => {
    const count = (counts.get(name) ?? 0) + change;
    total += change;
    if (count === 0) counts.delete(name);
    else counts.set(name, count);
  };
  return {
    async during(name, work) {
      add(name, 1);
      try {
        return await work();
      } finally {
        add(name, -1);
      }
    },
    has: (name) => counts.has(name),
    get total() {
      return total;
    },
  };
}
