import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type ReplicateOptions, replicateFolders } from '../../src/index.ts';
import { look, type Pair } from './replica.ts';

/** A replica that is kept by this process. */
export interface RunningReplica {
  /** What was done, in few words, without what gets another time alone; what the guard did has its name before it. */
  readonly done: string[];
  readonly errors: unknown[];
  /** Waits until both are equal, and gives what was done for it. */
  settle(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Looks at all each time, so that nothing depends on what the system tells. */
export async function keepReplica(
  { src, dst }: Pair,
  options: Partial<ReplicateOptions> = {},
): Promise<RunningReplica> {
  const done: string[] = [];
  const errors: unknown[] = [];
  const end = new AbortController();
  const ended = replicateFolders(src, dst, {
    every: 5,
    watch: false,
    force: true,
    until: end.signal,
    onOperation(operation, _digest, guard) {
      if (operation.op === 'touch' || (operation.op === 'move' && operation.parks)) return;
      const from =
        'from' in operation ? ` ${(operation.op === 'move' ? operation.of : undefined) ?? operation.from}` : '';
      done.push(`${guard === undefined ? '' : `${guard}: `}${operation.op}${from} ${operation.path}`);
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  const stop = async () => {
    end.abort();
    await ended;
  };
  onTestFinished(stop);
  // Whatever ends it before its time is thrown.
  let failure: unknown;
  ended.catch((error) => {
    failure = error;
  });
  return {
    done,
    errors,
    async settle() {
      await expect
        .poll(
          async () => {
            if (failure !== undefined) throw failure;
            return lstatSync(join(dst)).isDirectory() && (await look(dst));
          },
          { timeout: 20_000, interval: 20 },
        )
        .toEqual(await look(src));
      return done.splice(0);
    },
    stop,
  };
}
