import { type Storage, memoryStorage as storageOf } from '../../src/server/index.ts';
import type { Kept } from '../../src/server/memory-storage.ts';

export interface MemoryStorage extends Storage {
  /** Another one that holds the same, and goes its own way. */
  copy(): MemoryStorage;
  /** All objects by key, as text. */
  snapshot(): Map<string, string>;
}

/** A storage in memory that can be looked into. */
export function memoryStorage(objects: Map<string, Kept> = new Map()): MemoryStorage {
  return {
    ...storageOf(objects),
    copy: () => memoryStorage(new Map(objects)),
    snapshot: () => new Map([...objects].map(([key, { content }]) => [key, content.toString()])),
  };
}
