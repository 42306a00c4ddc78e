import type { Storage } from '../../src/server/index.ts';

/** A storage whose changes are counted, and fail. */
export interface Mortal extends Storage {
  /** Whether any change has failed. */
  died: boolean;
}

/**
 * A storage that dies at its n-th change: that one and all later ones fail, as if the process had been killed. With
 * `once` that one fails alone, as a disk may.
 */
export function mortal(storage: Storage, changes: number, { once = false } = {}): Mortal {
  let left = changes;
  const change = async <T>(work: () => Promise<T>): Promise<T> => {
    const isOver = once ? left === 0 : left <= 0;
    left--;
    if (isOver) {
      dying.died = true;
      throw new Error('killed');
    }
    return work();
  };
  const dying: Mortal = {
    ...storage,
    died: false,
    stage: async (...parameters) => {
      const staged = await storage.stage(...parameters);
      return { ...staged, publish: (key) => change(() => staged.publish(key)) };
    },
    put: (...parameters) => change(() => storage.put(...parameters)),
    delete: (key) => change(() => storage.delete(key)),
  };
  return dying;
}
