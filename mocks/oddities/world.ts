import type { Documents } from '../../src/server/documents.ts';
import type { Storage } from '../../src/server/index.ts';
import type { Fault } from '../faults.ts';

/** What an oddity has at hand behind the registry's back. */
export interface World {
  /** Asks the registry itself, past all faults; as the administrator, unless another token is given. */
  ask(method: string, path: string, init?: { token?: string; document?: unknown }): Promise<Response>;
  /** The registry's own objects. */
  readonly storage: Storage;
  /** Those of them that the registry keeps of itself. */
  readonly documents: Documents;
  /** The origin at which content is put, where that is not the registry's. */
  bucket(): string;
}

/** Makes the registry odd in one way. */
export type Oddity = (world: World) => Fault;
