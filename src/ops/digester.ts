import { createPace } from '../give-way.ts';
import { countFiles } from '../model/count.ts';
import { SMALL } from '../tree/read-small.ts';
import { type Digested, digestFile, digestSmall } from './digest-file.ts';
import { createDigestPool } from './digest-pool.ts';

/** How many files are read at once: enough to keep a disk busy while one thread hashes. */
const CONCURRENCY = 8;

/**
 * Files from this size on are digested by worker threads where there is so much of them: two threads take 240 ms for
 * 256 MiB that one takes 430 ms for, 80 ms in place of 110 for 64 MiB, and as long as one for 32 MiB, since to start
 * them takes 25 ms.
 *
 * Units: bytes
 * Source: bare loops on two cores, files in memory; `npm run bench -- --case digest` measures it as a whole
 */
const LARGE = 4 * 1024 * 1024;
const WORTHWHILE = 64 * 1024 * 1024;

/** Digests files, on as many threads as pay for them. */
export interface Digester {
  /** How many files are best asked for at once. */
  readonly concurrency: number;
  /** The same as `digestFile`. */
  digest(
    file: { readonly source: string; readonly size: number },
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<Digested>;
  close(): Promise<void>;
}

/** Makes a digester for the files that it will be asked for. */
export function createDigester(files: readonly { readonly size: number }[]): Digester {
  const large = files.filter(({ size }) => size >= LARGE);
  const pool = countFiles(large).bytes < WORTHWHILE ? undefined : createDigestPool();
  const pace = createPace();
  return {
    concurrency: CONCURRENCY,
    async digest({ source, size }, signal, onBytes) {
      if (size < SMALL) {
        if (pace.due()) await pace.rest();
        signal.throwIfAborted();
        const digested = digestSmall(source, size);
        onBytes(digested.size);
        return digested;
      }
      const read = pool !== undefined && size >= LARGE ? pool.digest : digestFile;
      return read(source, signal, onBytes);
    },
    close: async () => pool?.close(),
  };
}
