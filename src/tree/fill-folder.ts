import { rmdirSync, unlinkSync } from 'node:fs';
import { type GypsumError, isSystemError } from '../errors.ts';
import type { CallOptions } from '../events.ts';
import { createPace } from '../give-way.ts';
import { fsPath } from '../model/local-path.ts';
import { isRefusedSymlink, makeAt } from './apply-step.ts';
import { type PutFile, putFile } from './put-file.ts';
import { scanFolder } from './scan.ts';
import type { MakeStep } from './step.ts';
import { createWay } from './way.ts';

export interface FillOptions extends CallOptions {
  /** Hears of a symlink of the version's own that is refused there; the rest goes on. Without it, the first one ends all. */
  onRefused?: ((path: string, error: GypsumError) => void) | undefined;
  /** @default the real ones */
  put?: PutFile;
}

/**
 * Makes what is to stand in a new folder that nobody else knows of, step by step as they come. What was made until one fails
 * stays: unlike `applySteps`, nothing is kept in memory of what was made, 200 bytes for each file.
 */
export async function fillFolder(
  root: string,
  steps: Iterable<MakeStep>,
  { onRefused, put = putFile, signal, onEvent }: FillOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  const pace = createPace(signal);
  const way = createWay(root);
  const means = { put, pace, orCopy: false, touched: new Set<string>() };
  let files = 0;
  let bytes = 0;
  const report = () => {
    onEvent?.({ type: 'progress', task: 'export', files, bytes });
    [files, bytes] = [0, 0];
  };
  try {
    for (const step of steps) {
      const { path, after } = step;
      try {
        await makeAt(way.to(path), after, means);
        if (after.type === 'file') bytes += after.size;
      } catch (error) {
        if (onRefused === undefined || !isRefusedSymlink(step, error)) throw error;
        onRefused(path, error);
      }
      files++;
      if (pace.due()) {
        report();
        await pace.rest();
        way.forget();
      }
    }
    report();
  } finally {
    way.close();
  }
}

/** Removes all that is in a folder, however deep it lies. */
export async function emptyFolder(root: string): Promise<void> {
  const pace = createPace();
  const entries = await scanFolder(root, { sizes: false });
  const way = createWay(root);
  try {
    for (const { path, type } of entries.toReversed()) {
      const remove = type === 'directory' ? rmdirSync : unlinkSync;
      try {
        remove(fsPath(way.to(path)));
      } catch (error) {
        // Somebody else has removed it, or has put something there: theirs to keep.
        if (!isSystemError(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
      }
      if (pace.due()) {
        await pace.rest();
        way.forget();
      }
    }
  } finally {
    way.close();
  }
}
