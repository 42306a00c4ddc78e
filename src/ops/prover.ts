import type { Stats } from 'node:fs';
import { hasContent } from '../cache/blobs.ts';
import { type Fingerprints, openFingerprints } from '../cache/fingerprints.ts';
import type { Context } from '../context.ts';
import { isSystemError } from '../errors.ts';
import { inodeId } from '../model/fingerprint.ts';
import type { Expected } from '../verify-stream.ts';

/** `gone`: it has been removed meanwhile. */
export type Proof = 'right' | 'wrong' | 'unreadable' | 'gone';

/** Finds out whether files of the cache hold what they must. */
export interface Prover {
  /** What is known of files without reading them. */
  fingerprints(project: string): Promise<Fingerprints>;
  /** Reads a file, unless its content is known; an inode once, whatever names it has. */
  prove(project: string, expected: Expected, path: string, stats: Stats): Promise<Proof>;
  /** Remembers what was read, if the cache can be written to. */
  flush(): Promise<void>;
}

/** With `deep`, what was known before counts for nothing. */
export function createProver(
  ctx: Context,
  { deep, signal }: { deep: boolean; signal: AbortSignal | undefined },
): Prover {
  const opened = new Map<string, Promise<Fingerprints>>();
  const found = new Map<string, Proof>();
  const id = (hex: string, stats: Stats) => `${hex} ${inodeId(stats)}`;

  const open = async (project: string): Promise<Fingerprints> => {
    const prints = await openFingerprints(ctx.cache.layout, project, SHARDS);
    if (!deep) return prints;
    return {
      ...prints,
      check: (hex, stats) => (found.get(id(hex, stats)) === 'right' ? 'same' : 'unknown'),
      remember(hex, path, stats) {
        found.set(id(hex, stats), 'right');
        prints.remember(hex, path, stats);
      },
    };
  };

  const fingerprints = (project: string) => {
    const known = opened.get(project) ?? open(project);
    opened.set(project, known);
    return known;
  };

  return {
    fingerprints,
    async prove(project, expected, path, stats) {
      const { hex } = expected.digest;
      const prints = await fingerprints(project);
      if (stats.size !== expected.size) return 'wrong';
      if (prints.check(hex, stats) === 'same') return 'right';
      const before = found.get(id(hex, stats));
      if (before !== undefined) return before;
      const proof = await read(path, expected, signal);
      found.set(id(hex, stats), proof);
      if (proof === 'right') prints.remember(hex, path, stats);
      return proof;
    },
    async flush() {
      for (const prints of opened.values()) {
        try {
          await (await prints).flush();
        } catch (error) {
          // To forget costs that it is read again.
          if (!isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) throw error;
        }
      }
    },
  };
}

async function read(path: string, expected: Expected, signal: AbortSignal | undefined): Promise<Proof> {
  try {
    return (await hasContent(path, expected, signal)) ? 'right' : 'wrong';
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EIO')) return 'unreadable';
    if (isSystemError(error, 'ENOENT', 'ENOTDIR')) return 'gone';
    throw error;
  }
}

/** Every beginning of a digest that says which part of the memory knows it. */
export const SHARDS = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
