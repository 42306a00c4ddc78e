import type { CallOptions } from '../events.ts';
import type { Tree } from '../model/tree.ts';
import { scanInParts } from '../tree/scan.ts';

/** Reads a folder, given by its real path, in parts of its tree, and tells that it is read. */
export async function* scanClone(root: string, options: CallOptions): AsyncGenerator<Tree> {
  options.onEvent?.({ type: 'start', task: 'scan', files: 0, bytes: 0 });
  yield* scanInParts(root, options);
  options.onEvent?.({ type: 'end', task: 'scan' });
}
