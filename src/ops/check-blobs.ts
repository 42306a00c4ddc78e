import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { statIfThere } from '../cache/blobs.ts';
import type { Context } from '../context.ts';
import { each } from '../each.ts';
import type { CallOptions } from '../events.ts';
import { inodeId } from '../model/fingerprint.ts';
import type { CacheFault, CacheProblem } from './cache-problems.ts';
import type { Prover } from './prover.ts';
import { scanIfThere } from './walk-version.ts';

interface Blob {
  readonly path: string;
  readonly project: string;
  readonly hex: string;
  readonly stats: Stats;
}

/**
 * Checks that every blob has the name of its content. One that is a file of a version, too, and is wrong there is that
 * file's problem; `known` has the inodes of those.
 */
export async function checkBlobs(
  ctx: Context,
  { prover, known, signal, onEvent }: CallOptions & { prover: Prover; known: ReadonlySet<string> },
): Promise<CacheProblem[]> {
  const { layout } = ctx.cache;
  const problems: CacheProblem[] = [];
  const tell = (path: string, fault: CacheFault, message: string, size: number) =>
    problems.push({ path, fault, message, size });
  const blobs: Blob[] = [];
  for (const { path, type } of await scanIfThere(layout.blobs, { signal })) {
    const at = join(layout.blobs, path);
    const stats = type === 'directory' ? undefined : statIfThere(at);
    if (stats === undefined || known.has(inodeId(stats))) continue;
    const [, project, start, rest] = /^([^/]+)\/md5(?:-executable)?\/([\da-f]{2})\/([\da-f]{30})$/.exec(path) ?? [];
    if (project === undefined) tell(at, 'foreign', 'is not named as the content of a project', stats.size);
    else if (!stats.isFile()) tell(at, 'wrong-type', 'is not a file', stats.size);
    else blobs.push({ path: at, project, hex: `${start}${rest}`, stats });
  }
  onEvent?.({ type: 'start', task: 'verify', files: blobs.length, bytes: 0 });
  await each(blobs, { concurrency: ctx.concurrency, signal }, async ({ path, project, hex, stats }) => {
    const expected = { digest: { algorithm: 'md5', hex }, size: stats.size } as const;
    const proof = await prover.prove(project, expected, path, stats);
    if (proof === 'wrong') tell(path, 'wrong-content', `has not the MD5 ${hex}`, stats.size);
    else if (proof === 'unreadable') tell(path, 'unreadable', 'cannot be read', stats.size);
    else if (proof === 'right' && (stats.mode & 0o222) !== 0) tell(path, 'wrong-mode', 'can be written to', stats.size);
    onEvent?.({ type: 'progress', task: 'verify', files: 1, bytes: 0 });
  });
  return problems;
}
