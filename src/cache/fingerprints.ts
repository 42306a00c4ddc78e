import { randomUUID } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { lstat, mkdir, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { createPace, sleep } from '../give-way.ts';
import { parseJsonIfAny } from '../model/json.ts';
import { publishDocument } from './atomic.ts';
import type { Layout } from './layout.ts';
import { readIfThere } from './read-document.ts';

/**
 * What tells that a file is still the one whose content was verified.
 *
 * Shape:  [device, inode, size, mtime, ctime]
 * Units:  bytes; milliseconds with fractions
 */
export type Fingerprint = readonly [dev: number, ino: number, size: number, mtime: number, ctime: number];

/** `same`: not touched since it was verified. `unsure`: only its inode was changed, by a link or a mode. */
export type Known = 'same' | 'unsure' | 'unknown';

/** The memory of what was verified in one project: losing a part of it costs one re-hash, and nothing else. */
export interface Fingerprints {
  /** Says what is known about a file that should hold the content of a digest. Reads no content. */
  check(hex: string, stats: Stats): Known;
  /** Notes that the file at `path` held the right content when it had these stats. */
  remember(hex: string, path: string, stats: Stats): void;
  /** Writes down what was noted, leaving out what has been changed since. */
  flush(signal?: AbortSignal): Promise<void>;
}

/** How many inodes are kept for one digest: copies, and successors of an inode that ran out of links. */
const MAX_INODES = 8;

/** Units: milliseconds. How long the clock may need to pass the last change before we give up remembering. */
const MAX_CLOCK_WAIT = 3_000;

const shardSchema = z.record(
  z.string(),
  z.array(z.tuple([z.number(), z.number(), z.number(), z.number(), z.number()])),
);

type Shard = Map<string, Fingerprint[]>;

export async function openFingerprints(
  layout: Layout,
  project: string,
  digests: Iterable<string>,
): Promise<Fingerprints> {
  const shards = new Map<string, Shard>();
  const noted = new Map<string, { hex: string; path: string; print: Fingerprint }>();
  for (const hex of digests) {
    const name = hex.slice(0, 2);
    if (!shards.has(name)) shards.set(name, await readShard(layout.verified(project, name)));
  }

  // An inode with many names is read once, not once a name.
  const isNoted = (hex: string, stats: Stats): boolean => {
    const print = noted.get(`${hex} ${stats.dev} ${stats.ino}`)?.print;
    return print !== undefined && fingerprint(stats).every((value, at) => value === print[at]);
  };

  return {
    check(hex, stats) {
      const [dev, ino, size, mtime, ctime] = fingerprint(stats);
      if (!stats.isFile()) return 'unknown';
      for (const known of shards.get(hex.slice(0, 2))?.get(hex) ?? []) {
        if (known[0] !== dev || known[1] !== ino || known[2] !== size || known[3] !== mtime) continue;
        if (known[4] === ctime || isNoted(hex, stats)) return 'same';
        return 'unsure';
      }
      return isNoted(hex, stats) ? 'same' : 'unknown';
    },

    remember(hex, path, stats) {
      noted.set(`${hex} ${stats.dev} ${stats.ino}`, { hex, path, print: fingerprint(stats) });
    },

    async flush(signal) {
      if (noted.size === 0) return;
      const changed = new Map<string, Map<string, Fingerprint>>();
      const settled = new Map<string, { hex: string; print: Fingerprint }>();
      const pace = createPace(signal);
      // A change within one tick of the clock would go unseen: the fingerprint is taken when the clock has passed it.
      const clock = await passClock(layout, noted.values(), signal);
      for (const [id, { hex, path, print }] of noted) {
        const stats = lstatSync(path, { throwIfNoEntry: false });
        if (stats === undefined) continue;
        const now = fingerprint(stats);
        if (now[4] >= clock) continue;
        if (now[0] === print[0] && now[1] === print[1] && now[2] === print[2] && now[3] === print[3]) {
          settled.set(id, { hex, print: now });
        }
        if (pace.due()) await pace.rest();
      }
      for (const { hex, print } of settled.values()) {
        const name = hex.slice(0, 2);
        const shard = changed.get(name) ?? new Map<string, Fingerprint>();
        changed.set(name, shard);
        shard.set(`${hex} ${print[0]} ${print[1]}`, print);
      }
      noted.clear();
      for (const [name, prints] of changed) {
        signal?.throwIfAborted();
        const file = layout.verified(project, name);
        const shard = await readShard(file);
        for (const [id, print] of prints) add(shard, id.slice(0, id.indexOf(' ')), print);
        shards.set(name, shard);
        await publishDocument(layout, file, JSON.stringify(Object.fromEntries(shard)));
      }
    },
  };
}

function fingerprint(stats: Stats): Fingerprint {
  return [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs];
}

function add(shard: Shard, hex: string, print: Fingerprint): void {
  const others = (shard.get(hex) ?? []).filter((known) => known[0] !== print[0] || known[1] !== print[1]);
  shard.set(hex, [...others, print].slice(-MAX_INODES));
}

async function readShard(file: string): Promise<Shard> {
  const text = await readIfThere(file);
  if (text === undefined) return new Map();
  // A damaged memory is no memory: all it costs is to verify again.
  const parsed = shardSchema.safeParse(parseJsonIfAny(text));
  return new Map(parsed.success ? Object.entries(parsed.data) : []);
}

/**
 * Waits until the clock of the cache's file system, which may be another machine's, has passed every change noted, and
 * gives what it shows; it may not, if a file's time lies in the future.
 */
async function passClock(
  layout: Layout,
  noted: Iterable<{ path: string }>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let last = 0;
  for (const { path } of noted) last = Math.max(last, lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0);
  const until = performance.now() + MAX_CLOCK_WAIT;
  const probe = layout.incoming(randomUUID());
  await mkdir(dirname(probe), { recursive: true });
  for (;;) {
    await writeFile(probe, '');
    const { ctimeMs } = await lstat(probe);
    await unlink(probe);
    if (ctimeMs > last || performance.now() > until) return ctimeMs;
    await sleep(2, signal);
  }
}
